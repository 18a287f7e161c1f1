/** One proxy before the app, and a change of its configuration: the number that it sets on each request. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stopChild, untilListening } from '../../test/conformance/peer-process.ts'
import { numberedFor } from '../../test/fleet/kit/numbered.ts'
import { startBaton } from '../../test/kit/baton.ts'
import { freePort } from '../../test/kit/free-ports.ts'
import { programPath } from '../../test/kit/packages.ts'
import { until } from '../../test/kit/until.ts'
import { nginxPaths } from '../origin.ts'

export interface Reloading extends AsyncDisposable {
  readonly port: number
  /** Resolves once it takes a change. */
  ready?(): Promise<unknown>
  /** Written, and told of where it has to be told. Begins with number 1. */
  change(number: number): Promise<void>
}

export interface Peer {
  readonly name: string
  /** What a change is. */
  readonly means: string
  start(appPort: number): Promise<Reloading>
}

const batonFile: Peer = {
  name: 'baton, file',
  means: 'the file is replaced by a rename; baton watches its folder, and waits until two reads 50 ms apart agree',
  async start(appPort) {
    const baton = await startBaton({ config: numberedFor(appPort, 1) })
    const { bootstrap } = JSON.parse(baton.config) as { readonly bootstrap: unknown }
    await baton.ready()
    return {
      port: baton.publicPort,
      change: async (number) => replace(baton.configFile, JSON.stringify({ bootstrap, ...numberedFor(appPort, number) })),
      [Symbol.asyncDispose]: () => baton[Symbol.asyncDispose](),
    }
  },
}

const nginx: Peer = {
  name: 'nginx',
  means: '`nginx -s reload`: one worker, replaced by a new one; the old one ends its requests and closes its connections',
  start: (appPort) =>
    inFolder('nginx', async (folder, port) => {
      const file = join(folder, 'nginx.conf')
      const common = ['-e', join(folder, 'error.log'), '-c', file]
      const write = (number: number): void => replace(file, nginxConfig(folder, port, appPort, number))
      write(1)
      const program = programPath('nginx')
      return {
        child: spawn(program, common, { stdio: 'inherit' }),
        async change(number) {
          write(number)
          await once(spawn(program, [...common, '-s', 'reload'], { stdio: 'inherit' }), 'exit')
        },
      }
    }),
}

const haproxy: Peer = {
  name: 'haproxy',
  means: 'SIGUSR2 to the master (`-W`): a new worker gets the listening sockets from the old one (`expose-fd listeners`), which drains',
  start: (appPort) =>
    inFolder('haproxy', async (folder, port) => {
      const file = join(folder, 'haproxy.cfg')
      const write = (number: number): void => replace(file, haproxyConfig(folder, port, appPort, number))
      write(1)
      const master = join(folder, 'master')
      const child = spawn(programPath('haproxy'), ['-W', '-S', master, '-db', '-q', '-f', file], { stdio: 'ignore' })
      return {
        child,
        // its worker serves before it takes signals, and one that comes too soon is lost
        ready: () =>
          until(
            () => answers(master),
            () => 'the master of haproxy does not answer',
          ),
        async change(number) {
          write(number)
          child.kill('SIGUSR2')
        },
      }
    }),
}

export const reloadingPeers: readonly Peer[] = [batonFile, nginx, haproxy]

interface Started {
  readonly child: ChildProcess
  ready?(): Promise<unknown>
  change(number: number): Promise<void>
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write('show proc\n'))
    socket.once('data', () => {
      resolve(true)
      socket.destroy()
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

async function inFolder(name: string, start: (folder: string, port: number) => Promise<Started>): Promise<Reloading> {
  const folder = mkdtempSync(join(tmpdir(), `baton-${name}-`))
  const port = await freePort()
  const { child, ...changes } = await start(folder, port)
  await untilListening(port, child)
  return {
    port,
    ...changes,
    async [Symbol.asyncDispose]() {
      await stopChild(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Nobody reads half of it. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.next`, text)
  renameSync(`${file}.next`, file)
}

const nginxConfig = (folder: string, port: number, appPort: number, number: number): string => `
daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log crit;
events { worker_connections 4096; }
http {
${nginxPaths(folder)}
  access_log off; keepalive_requests 100000000; keepalive_timeout 1h;
  upstream app { server 127.0.0.1:${appPort}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header x-number ${number}; }
  }
}
`

const haproxyConfig = (folder: string, port: number, appPort: number, number: number): string => `
global
  nbthread 1
  maxconn 4096
  stats socket ${folder}/stats expose-fd listeners
defaults
  mode http
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend public
  bind 127.0.0.1:${port} backlog 4096
  http-request set-header x-number ${number}
  default_backend app
backend app
  server app 127.0.0.1:${appPort}
`
