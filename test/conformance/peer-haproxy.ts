/** haproxy as the proxy under test, set up as well as it can be for what the suite asks. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../kit/free-ports.ts'
import { programPath } from '../kit/packages.ts'
import type { Lanes } from './lanes.ts'
import { type RunningProxy, stopChild, untilListening } from './peer-process.ts'

export async function startHaproxy(lanes: Lanes): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-haproxy-'))
  const port = await freePort()
  await writeFile(join(folder, 'haproxy.cfg'), configOf(lanes, port))
  const child = spawn(programPath('haproxy'), ['-db', '-q', '-f', join(folder, 'haproxy.cfg')], { stdio: 'inherit' })
  await untilListening(port, child)
  return {
    name: 'haproxy',
    port,
    async stop() {
      await stopChild(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function configOf(lanes: Lanes, port: number): string {
  const backend = (name: string, to: number, backup = ''): string => `backend ${name}\n  server s 127.0.0.1:${to}\n${backup}`
  const fallback = `  server spare 127.0.0.1:${lanes.spare.port}\n`
  return `
global
  nbthread 1
defaults
  mode http
  timeout client 3s
  timeout server 2s
  timeout connect 1s
  timeout http-request 2s
  option http-no-delay
  option abortonclose
  retries 1
  retry-on conn-failure empty-response
  option redispatch 1
  http-reuse safe
frontend in
  bind 127.0.0.1:${port} backlog 4096
  http-request del-header X-Forwarded-For unless { src 127.0.0.2 }
  http-request del-header Forwarded unless { src 127.0.0.2 }
  http-request set-header X-Forwarded-Proto http unless { src 127.0.0.2 }
  http-request set-header X-Forwarded-Host %[req.hdr(host)] unless { src 127.0.0.2 }
  http-request disable-l7-retry if METH_POST
  option forwardfor
  use_backend %[req.hdr(x-lane)]f if { req.hdr(x-fallback) 1 }
  use_backend %[req.hdr(x-lane)] if { req.hdr(x-lane) -m found }
  default_backend stray
${backend('stray', lanes.stray.port)}
${lanes.all.map((lane) => backend(lane.name, lane.app.port) + backend(`${lane.name}f`, lane.app.port, fallback)).join('\n')}
`
}
