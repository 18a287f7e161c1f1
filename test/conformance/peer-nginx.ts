/** nginx as the proxy under test, set up as well as it can be for what the suite asks. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../kit/free-ports.ts'
import { programPath } from '../kit/packages.ts'
import type { Lanes } from './lanes.ts'
import { type RunningProxy, stopChild, untilListening } from './peer-process.ts'

export async function startNginx(lanes: Lanes): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-nginx-'))
  const port = await freePort()
  await writeFile(join(folder, 'nginx.conf'), configOf(lanes, port, folder))
  const child = spawn(programPath('nginx'), ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdio: 'inherit',
  })
  await untilListening(port, child)
  return {
    name: 'nginx',
    port,
    async stop() {
      await stopChild(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function configOf(lanes: Lanes, port: number, folder: string): string {
  const upstream = (name: string, to: number, backup = ''): string =>
    `upstream ${name} { server 127.0.0.1:${to} max_fails=0; ${backup} keepalive 8; }`
  const fallback = `server 127.0.0.1:${lanes.spare.port} backup;`
  return `
daemon off; worker_processes 1; pid ${folder}/pid;
events { worker_connections 1024; }
http {
  access_log off; error_log ${folder}/error.log crit;
  client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  ${upstream('stray', lanes.stray.port)}
  ${lanes.all.map((lane) => upstream(lane.name, lane.app.port) + upstream(`${lane.name}f`, lane.app.port, fallback)).join('\n  ')}
  map "$http_x_lane-$http_x_fallback" $lane { default stray; ${lanes.all.map((lane) => `${lane.name}- ${lane.name}; ${lane.name}-1 ${lane.name}f;`).join(' ')} }
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  set_real_ip_from 127.0.0.2; real_ip_header X-Forwarded-For;
  client_max_body_size 0; client_header_timeout 2s; proxy_buffer_size 32k; proxy_buffers 8 32k; large_client_header_buffers 4 16k; underscores_in_headers on;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://$lane; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
      proxy_connect_timeout 1s; proxy_read_timeout 2s; proxy_pass_header Server; proxy_pass_header Date; proxy_next_upstream error timeout; proxy_next_upstream_tries 2;
      proxy_set_header Host $http_host; proxy_set_header Connection $connection_upgrade; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host; proxy_set_header Forwarded "";
    }
  }
}
`
}
