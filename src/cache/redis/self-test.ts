/** Before anything is answered locally: does this server tell of a change, and before it answers a PING that was sent later? */
import { BatonError } from '../../errors.ts'
import { keyOf, type Name } from '../entry.ts'
import type { Session } from '../session.ts'
import type { RedisConnection } from './connection.ts'
import type { Tracking } from './pair.ts'

export interface Probe {
  readonly key: Name
  /** To be tracked besides the configured ones; null where one of those covers the key. */
  readonly prefix: Name | null
}

const own = 'baton:probe:'
const probeLifeMs = 10_000

/** A key that is tracked, under baton's own prefix where Redis can take that beside the configured ones: it refuses overlapping ones. */
export function probeKeyFor({ by, prefixes }: Tracking, runId: string, client: number): Probe {
  const id = `${runId.slice(0, 8)}-${client}`
  const within = prefixes.find((prefix) => prefix.startsWith(own))
  if (by === 'broadcast' && within !== undefined) return { key: `${within}baton-probe-${id}`, prefix: null }
  const isCovered = by === 'keys' || prefixes.some((prefix) => own.startsWith(prefix))
  return { key: `${own}${id}`, prefix: isCovered ? null : own }
}

/** @throws BatonError `unsupported` naming the prefix that the user may not read */
export async function refuseUnreadable(connection: RedisConnection, user: string, prefixes: readonly Name[]): Promise<void> {
  const replies = await connection.send(prefixes.map((prefix) => ['PTTL', keyOf(`${prefix}baton-probe`)]))
  for (const [at, reply] of replies.entries()) {
    if (reply instanceof Error) {
      const message = `redis does not let the user "${user}" read keys under "${prefixes[at]}", which cache.prefixes has: ${reply.message}`
      throw new BatonError('unsupported', message, reply)
    }
  }
}

/** @throws BatonError `unsupported` for a server that fails it (a clone, a managed proxy) */
export async function selfTest(
  session: Session,
  name: Name,
  listen: (told: (keys: readonly Buffer[] | null) => void) => void,
): Promise<void> {
  let told = false
  let isChanging = false
  const key = keyOf(name)
  listen((keys) => {
    // a flush by somebody is told as everything, and of what was read before it nothing is told any more
    if (keys === null || (isChanging && keys.some((candidate) => candidate.equals(key)))) told = true
  })
  await written(session, [['SET', key, '1', 'PX', probeLifeMs]])
  const [seen] = await session.read([['GET', key]])
  if (seen instanceof Error) throw new BatonError('unsupported', `redis: the probe ${name} cannot be read: ${seen.message}`, seen)
  await session.heard()
  isChanging = true
  await written(session, [['SET', key, '2', 'PX', probeLifeMs]])
  await session.heard()
  await session.aside([['DEL', key]])
  if (!told) throw new BatonError('unsupported', 'redis does not tell of a change before it answers what was asked later (CLIENT TRACKING)')
}

async function written(session: Session, commands: Parameters<Session['aside']>[0]): Promise<void> {
  const [reply] = await session.aside(commands)
  if (!(reply instanceof Error)) return
  // full, loading, or just demoted: not for ever
  const code = reply.message.startsWith('NOPERM') ? 'unsupported' : 'unreachable'
  throw new BatonError(code, `redis: the probe ${String(commands[0]?.[1])} cannot be written: ${reply.message}`, reply)
}
