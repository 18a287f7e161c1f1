import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programPath } from '../../test/kit/packages.ts'
import { proxyCore, startProgram } from '../program.ts'
import type { Peer, Place } from './peer.ts'

export const haproxy: Peer = {
  name: 'haproxy',
  settings: 'one thread, keep-alive both sides (http-reuse always), http-no-delay, abortonclose, X-Forwarded-*, no log',
  async start(place) {
    const file = join(place.folder, 'haproxy.cfg')
    writeFileSync(file, configuration(place))
    const program = await startProgram({
      name: 'haproxy',
      core: proxyCore,
      argv: [programPath('haproxy'), '-db', '-q', '-f', file],
      port: place.port,
    })
    return { program, port: place.port, pids: () => [program.pid], footnote: () => null }
  },
}

const configuration = ({ port, originPort }: Place): string => `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-no-delay
  option abortonclose
  option forwardfor
  http-reuse always
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend public
  bind 127.0.0.1:${port} backlog 4096
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend app
backend app
  server app 127.0.0.1:${originPort}
`
