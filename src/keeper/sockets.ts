/** The listening sockets: bound here or taken from systemd, handed to each generation by fd, never accepted on. */
import { lookup } from 'node:dns/promises'
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import net from 'node:net'
import { BatonError, errorCode, errorMessage } from '../errors.ts'
import type { ListenerSpec } from './protocol.ts'

export interface Sockets {
  /** Listener's name → fd in this process. */
  readonly fds: ReadonlyMap<string, number>
  /**
   * Leaves the ports to the generation: once it stops accepting, a client is refused at once instead of waiting for an accept that never
   * comes. Unix sockets stay, since their path goes with them.
   */
  letGo(): void
  /** Closes them and unlinks the paths that were bound here. */
  close(): void
}

/** Call only while holding the lock: a stale socket path is unlinked. @throws BatonError `bind`. */
export async function openSockets(specs: readonly ListenerSpec[], inherited: ReadonlyMap<string, number>): Promise<Sockets> {
  const fds = new Map<string, number>()
  const bound = new Map<net.BoundSocket, ListenerSpec>()
  const closeIf = (holds: (spec: ListenerSpec) => boolean): void => {
    for (const [socket, spec] of bound) {
      if (!holds(spec)) continue
      bound.delete(socket)
      socket.close()
    }
  }
  const close = (): void => closeIf(() => true)
  refuseUnknown(specs, inherited)
  try {
    for (const spec of specs) {
      const fd = inherited.get(spec.name)
      const socket = fd === undefined ? await bind(spec) : null
      if (socket !== null) bound.set(socket, spec)
      fds.set(spec.name, fd ?? socket?.fd() ?? -1)
    }
  } catch (error) {
    close()
    throw error
  }
  return { fds, letGo: () => closeIf((spec) => 'port' in spec), close }
}

/** systemd's socket activation: fds from 3 on, by `FileDescriptorName=`. Empty unless they are meant for this very process. */
export function inheritedSockets(env: Readonly<Record<string, string | undefined>>, pid: number): ReadonlyMap<string, number> {
  if (env.LISTEN_PID !== String(pid)) return new Map()
  const names = (env.LISTEN_FDNAMES ?? '').split(':')
  const count = Number(env.LISTEN_FDS ?? 0)
  return new Map(Array.from({ length: count }, (_, index) => [names[index] || 'unknown', 3 + index]))
}

/** The environment of a child: systemd's words are about this process's fds. */
export function withoutSockets(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string | undefined>> {
  const { LISTEN_PID: _pid, LISTEN_FDS: _fds, LISTEN_FDNAMES: _names, ...rest } = env
  return rest
}

function refuseUnknown(specs: readonly ListenerSpec[], inherited: ReadonlyMap<string, number>): void {
  const known = specs.map((spec) => spec.name)
  const unknown = [...inherited.keys()].find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new BatonError('bind', `systemd passed a socket named "${unknown}": set FileDescriptorName= to one of ${known.join(', ')}`)
}

async function bind(spec: ListenerSpec): Promise<net.BoundSocket> {
  try {
    if ('path' in spec) return await bindPath(spec.path, spec.mode)
    const host = net.isIP(spec.host) === 0 ? (await lookup(spec.host)).address : spec.host
    return new net.BoundSocket({ host, port: spec.port })
  } catch (error) {
    const where = 'path' in spec ? spec.path : `${spec.host.includes(':') ? `[${spec.host}]` : spec.host}:${spec.port}`
    throw new BatonError('bind', `listener ${spec.name}: cannot bind ${where}: ${reason(error, spec)}`, error)
  }
}

async function bindPath(path: string, mode: number): Promise<net.BoundSocket> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() && !(await answers(path))) rmSync(path, { force: true })
  // The published types (26.6) do not know `path` yet.
  const options: { path: string } = { path }
  const socket = new net.BoundSocket(options as net.BoundSocketOptions)
  chmodSync(path, mode)
  return socket
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(path)
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false))
    probe.once('connect', () => probe.destroy())
  })
}

function reason(error: unknown, spec: ListenerSpec): string {
  const place = 'path' in spec ? 'path' : 'port'
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return `in use by another process; stop it, or configure another ${place}`
    case 'EADDRNOTAVAIL':
      return 'no interface of this machine has that address; configure another one (0.0.0.0 is all)'
    case 'EACCES':
      return 'path' in spec
        ? 'the folder is missing or not writable for this user'
        : 'not permitted; ports below 1024 need CAP_NET_BIND_SERVICE'
    default:
      return errorMessage(error)
  }
}
