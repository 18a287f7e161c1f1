/**
 * The app behind every proxy: nginx on the load core, as light as one can be, so that the proxy stays the bottleneck.
 * It reads a POST to its end before it answers (`mirror` does so; `return` alone would answer first, and a strict client would drop the connection);
 * then a POST to a file is a 405, which is the way to a `return` that comes after the body.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../test/kit/free-ports.ts'
import { programPath } from '../test/kit/packages.ts'
import { loadCore, type Program, startProgram } from './program.ts'
import { bodyOf, workloads } from './workload.ts'

export interface Origin extends Program {
  readonly port: number
}

/** `folder` should be in memory (/dev/shm): files are served from it. */
export async function startOrigin(folder: string): Promise<Origin> {
  const port = await freePort()
  const home = join(folder, 'origin')
  mkdirSync(join(home, 'files'), { recursive: true })
  for (const { path, bytes, method } of workloads) writeFileSync(join(home, 'files', path), method === 'GET' ? bodyOf(bytes) : '')
  writeFileSync(join(home, 'files/echo'), '')
  const file = join(home, 'nginx.conf')
  writeFileSync(file, configuration(home, port))
  const program = await startProgram({
    name: 'origin',
    core: loadCore,
    argv: [programPath('nginx'), '-e', join(home, 'error.log'), '-c', file],
    port,
  })
  return { ...program, port }
}

/** Temporary paths must exist for an nginx that does not run as root, and are all inside the folder. */
export function nginxPaths(home: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${home}/${name};`).join('\n')
}

const configuration = (home: string, port: number): string => `
daemon off; master_process off; pid ${home}/pid; error_log ${home}/error.log crit;
events { worker_connections 4096; }
http {
${nginxPaths(home)}
  access_log off; tcp_nodelay on; sendfile on; open_file_cache max=16; open_file_cache_valid 1h;
  keepalive_requests 100000000; keepalive_timeout 1h; lingering_close off;
  client_body_buffer_size 64k; client_body_in_single_buffer on; default_type text/plain;
  server {
    listen 127.0.0.1:${port} backlog=4096; root ${home}/files;
    add_header x-origin bench; add_header x-seen $http_x_asked;
    location = /small { return 200 "${bodyOf(100)}"; }
    location = /post { mirror /read; error_page 405 =200 @length; }
    location = /echo { mirror /read; error_page 405 =200 @echo; }
    location = /read { internal; return 204; }
    location @length { return 200 "$content_length"; }
    location @echo { return 200 "$request_body"; }
  }
}
`
