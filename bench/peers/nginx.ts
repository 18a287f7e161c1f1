import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programPath } from '../../test/kit/packages.ts'
import { nginxPaths } from '../origin.ts'
import { childrenOf } from '../process.ts'
import { proxyCore, startProgram } from '../program.ts'
import type { Peer, Place } from './peer.ts'

export const nginx: Peer = {
  name: 'nginx',
  settings:
    'one worker, keep-alive to the app (64 idle), proxy_buffering on (its default), X-Forwarded-*, access log off; master and worker are measured',
  async start(place) {
    const file = join(place.folder, 'nginx.conf')
    writeFileSync(file, configuration(place))
    const argv = [programPath('nginx'), '-e', join(place.folder, 'error.log'), '-c', file]
    const program = await startProgram({ name: 'nginx', core: proxyCore, argv, port: place.port })
    return { program, port: place.port, pids: () => [program.pid, ...childrenOf(program.pid)], footnote: () => null }
  },
}

const configuration = ({ folder, port, originPort }: Place): string => `
daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log crit;
events { worker_connections 4096; }
http {
${nginxPaths(folder)}
  access_log off; tcp_nodelay on; client_body_buffer_size 64k;
  keepalive_requests 100000000; keepalive_timeout 1h;
  upstream app { server 127.0.0.1:${originPort}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://app; proxy_http_version 1.1;
      proxy_set_header Host $http_host; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
    }
  }
}
`
