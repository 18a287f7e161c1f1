/** A bootstrap half's limits as one instance tells them to others: what decides which dynamic halves it takes, and no secret or command. */
import { isMapping } from './mapping.ts'
import type { Bootstrap, Limits } from './settings.ts'

export function limitsOf({ listeners, admin, redis, state, allowUpstreams, processes, retirements }: Bootstrap): Limits {
  return {
    listeners: { public: { address: listeners.public.address }, metrics: { address: listeners.metrics.address } },
    admin: admin === null ? null : { address: admin.address },
    redis: redis === null ? null : { gateways: each(redis.gateways, ({ address }) => ({ address })), names: redis.names },
    state,
    allowUpstreams,
    processes: each(processes, ({ port }) => ({ port })),
    // Only their names matter to a dynamic half; where they reach is nobody else's to know.
    retirements: each(retirements, () => ({ is: 'signal' })),
  }
}

function each<T, U>(given: Readonly<Record<string, T>>, told: (value: T) => U): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, told(value)]))
}

/** Null where it is none that this build understands. */
export function readLimits(value: unknown): Limits | null {
  if (!isMapping(value) || !isMapping(value.listeners)) return null
  const { listeners, admin, redis, state, allowUpstreams, processes, retirements } = value
  const isListed = Array.isArray(allowUpstreams) && allowUpstreams.every((entry) => typeof entry === 'string')
  const isKnown = isAddressed(listeners.public) && isAddressed(listeners.metrics) && (admin === null || isAddressed(admin))
  const isNamed =
    isMapping(processes) && Object.values(processes).every((process) => isMapping(process) && typeof process.port === 'number')
  const isSafe =
    isMapping(retirements) && Object.values(retirements).every((retirement) => isMapping(retirement) && retirement.is === 'signal')
  const isWhole = isListed && isKnown && isNamed && isSafe && (redis === null || isRedis(redis)) && typeof state === 'string'
  return isWhole ? (value as unknown as Limits) : null
}

function isRedis(value: unknown): boolean {
  if (!isMapping(value) || !isMapping(value.gateways)) return false
  return Object.values(value.gateways).every(isAddressed) && (value.names === null || typeof value.names === 'string')
}

function isAddressed(value: unknown): boolean {
  if (!isMapping(value) || !isMapping(value.address)) return false
  const { is, host, port, path } = value.address
  return is === 'unix' ? typeof path === 'string' : is === 'tcp' && typeof host === 'string' && typeof port === 'number'
}
