/**
 * The tracked source as three connections: D reads, S hears, by `CLIENT TRACKING … REDIRECT`, and an aside that nothing is tracked for.
 * The end of one is the end of all: what a lost D had read would be told to nobody.
 */
import { BatonError, errorMessage } from '../../errors.ts'
import { keyOf, type Name } from '../entry.ts'
import type { Reply, ServerFacts, Session, SessionHooks, Words } from '../session.ts'
import type { Access } from './access.ts'
import { connectRedis, type RedisConnection } from './connection.ts'
import { factsOf, refuseUnsuitable } from './facts.ts'
import { probeKeyFor, refuseUnreadable, selfTest } from './self-test.ts'

export interface Tracking {
  /** `broadcast`: each write under the prefixes is told; `keys`: the first write of each key that was read. */
  readonly by: 'broadcast' | 'keys'
  /** Keys under these are read; '' is every key. */
  readonly prefixes: readonly Name[]
}

const invalidations = '__redis__:invalidate'

/** Tracks, and has passed its self-test. @throws BatonError `unreachable`, or `unsupported` for a server that cannot be a source */
export async function openPair(access: Access, tracking: Tracking, hooks: SessionHooks, signal: AbortSignal): Promise<Session> {
  const pair = new Pair(hooks)
  const abort = () => pair.close()
  signal.addEventListener('abort', abort)
  try {
    await pair.open(access, tracking, signal)
    return pair
  } catch (error) {
    pair.close()
    throw error instanceof BatonError ? error : new BatonError('unreachable', `redis: ${errorMessage(error)}`, error)
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

class Pair implements Session {
  readonly #hooks: SessionHooks
  readonly #connections: RedisConnection[] = []
  #facts: ServerFacts | null = null
  #reader: RedisConnection | null = null
  #hearer: RedisConnection | null = null
  #other: RedisConnection | null = null
  #onProbe: (keys: readonly Buffer[] | null) => void = () => {}
  #ended = false

  constructor(hooks: SessionHooks) {
    this.#hooks = hooks
  }

  async open(access: Access, tracking: Tracking, signal: AbortSignal): Promise<void> {
    // S hears before D is tracked
    const hearer = await this.#connect(access, 2, 'hears', signal)
    const [id] = await hearer.send([['CLIENT', 'ID']])
    await hearer.subscribe(invalidations)
    const reader = await this.#connect(access, 3, 'reads', signal)
    const other = await this.#connect(access, 3, 'aside', signal)
    this.#hearer = hearer
    this.#reader = reader
    this.#other = other
    const facts = await factsOf(access, reader)
    this.#facts = facts
    refuseUnsuitable(facts)
    const probe = probeKeyFor(tracking, facts.runId, Number(id))
    await refuseUnreadable(reader, facts.user, tracking.prefixes)
    const [answer] = await reader.send([['CLIENT', 'TRACKING', 'ON', 'REDIRECT', Number(id), ...broadcast(tracking, probe.prefix)]])
    if (answer instanceof Error) throw new BatonError('unsupported', `redis refuses CLIENT TRACKING: ${answer.message}`, answer)
    await selfTest(this, probe.key, (listen) => (this.#onProbe = listen))
    this.#onProbe = () => {}
    if (this.#ended) throw new BatonError('unreachable', 'redis: the connection was closed while it was being set up')
  }

  get server(): ServerFacts {
    if (this.#facts === null) throw new BatonError('unreachable', 'redis: not connected')
    return this.#facts
  }

  read(commands: readonly Words[]): Promise<readonly Reply[]> {
    return given(this.#reader).send(commands)
  }

  aside(commands: readonly Words[]): Promise<readonly Reply[]> {
    return given(this.#other).send(commands)
  }

  heard(): Promise<void> {
    return given(this.#hearer).ping()
  }

  close(): void {
    this.#ended = true
    for (const connection of this.#connections) connection.close()
  }

  async #connect(access: Access, protocol: 2 | 3, what: string, signal: AbortSignal): Promise<RedisConnection> {
    const hooks = {
      lost: (reason: string) => this.#lost(`${what}: ${reason}`),
      message: (_channel: string, keys: Buffer | readonly Buffer[] | null) => this.#told(Buffer.isBuffer(keys) ? [keys] : keys),
    }
    const connection = await connectRedis(access, protocol, `baton-${what}`, hooks, signal)
    this.#connections.push(connection)
    return connection
  }

  #told(keys: readonly Buffer[] | null): void {
    if (this.#ended) return
    this.#onProbe(keys)
    this.#hooks.invalidated(keys)
  }

  #lost(reason: string): void {
    if (this.#ended) return
    this.close()
    this.#hooks.lost(reason)
  }
}

function broadcast({ by, prefixes }: Tracking, probePrefix: string | null): Words {
  if (by === 'keys') return []
  const all = probePrefix === null ? prefixes : [...prefixes, probePrefix]
  return ['BCAST', ...(prefixes.includes('') ? [] : all.flatMap((prefix) => ['PREFIX', keyOf(prefix)]))]
}

function given(connection: RedisConnection | null): RedisConnection {
  if (connection === null) throw new BatonError('unreachable', 'redis: not connected')
  return connection
}
