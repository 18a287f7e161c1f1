/** What binds must not clash: listeners with each other, and with the ports of managed processes. */
import { dirname, join } from 'node:path'
import { socketPathFault } from './address-text.ts'
import { type Complaint, complain, type Path } from './complaint.ts'
import { isAnyAddress, isLoopback } from './ip-class.ts'
import type { BindAddress, Limits } from './settings.ts'

export interface Bound {
  readonly path: Path
  readonly name: string
  readonly address: BindAddress
}

/** Everything that baton itself listens on. */
export function boundBy(bootstrap: Limits): Bound[] {
  const { listeners, admin, redis, state } = bootstrap
  return [
    { path: ['bootstrap', 'listeners', 'public', 'address'], name: 'the public listener', address: listeners.public.address },
    { path: ['bootstrap', 'listeners', 'metrics', 'address'], name: 'the metrics listener', address: listeners.metrics.address },
    ...(admin ? [{ path: ['bootstrap', 'admin', 'address'], name: 'the admin address', address: admin.address }] : []),
    { path: ['bootstrap', 'state'], name: 'the admin socket', address: { is: 'unix', path: join(state, 'admin.sock') } },
    ...Object.entries(redis?.gateways ?? {}).map(([version, { address }]) => ({
      path: ['bootstrap', 'redis', 'gateways', version, 'address'],
      name: `the gateway of ${version}`,
      address,
    })),
  ]
}

export function portComplaints(bootstrap: Limits): Complaint[] {
  const bound = boundBy(bootstrap)
  const taken = [...bound, ...processPorts(bootstrap)]
  return [
    ...taken.flatMap((one, index) => clash(one, taken.slice(0, index))),
    ...bound.flatMap((one) => socketPath(one, bootstrap.state)),
    ...adminAddress(bootstrap),
  ]
}

function processPorts(bootstrap: Limits): Bound[] {
  return Object.entries(bootstrap.processes).map(([name, process]) => ({
    path: ['bootstrap', 'processes', name, 'port'],
    name: `the process ${name}`,
    address: { is: 'tcp', host: '0.0.0.0', port: process.port },
  }))
}

function clash(one: Bound, before: readonly Bound[]): Complaint[] {
  const other = before.find((candidate) => overlaps(one.address, candidate.address))
  if (!other) return []
  const found = one.address.is === 'tcp' ? `port ${one.address.port}` : `the socket ${one.address.path}`
  return [complain(one.path, found, 'an address of its own', `${other.name} has it`)]
}

function overlaps(a: BindAddress, b: BindAddress): boolean {
  if (a.is === 'unix' || b.is === 'unix') return a.is === 'unix' && b.is === 'unix' && a.path === b.path
  if (a.port !== b.port || a.port === 0) return false
  return a.host === b.host || isAnyAddress(a.host) || isAnyAddress(b.host)
}

function socketPath(one: Bound, state: string): Complaint[] {
  if (one.address.is !== 'unix') return []
  const fault = socketPathFault(one.address.path)
  if (!fault) return []
  const hint = dirname(one.address.path) === state ? 'set state, or BATON_STATE, to a shorter path' : fault.hint
  return [complain(one.path, fault.found ?? one.address.path, fault.expected, hint)]
}

/** The token travels in clear: it stays on the machine. */
function adminAddress(bootstrap: Limits): Complaint[] {
  const address = bootstrap.admin?.address
  if (address?.is !== 'tcp' || isLoopback(address.host)) return []
  const hint = `write 127.0.0.1:${address.port}, and reach it through ssh or kubectl port-forward`
  return [complain(['bootstrap', 'admin', 'address'], address.host, 'a loopback address', hint)]
}
