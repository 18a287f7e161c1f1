/**
 * Judges every read of a run by what Redis did (`History`):
 *
 * - *own* (I1): a write through either gateway whose reply had come before the read was sent, or that went before it on its connection, is seen.
 * - *age* (I2): the value was current at some moment between S before the read was sent and its reply.
 * - *ttl* (I4): nothing is read that had expired before the read was sent.
 * - *never*: the key never held that.
 * - *lost update*: a transaction that watched the key went through although what had been read was not current any more.
 * - *not queued*: a command in a transaction was answered by something else.
 */
import { type Value as Reply, RespError } from '../../kit/resp-client.ts'
import { History, type Span, type State } from './history.ts'
import type { Done } from './monitor.ts'

export interface Operation {
  readonly words: readonly string[]
  /** Of all connections together; null: behind baton's back. */
  readonly connection: number | null
  readonly db: number
  /** In the order in which its connection sent it. */
  readonly turn: number
  /** Redis's clock, ms. */
  readonly sent: number
  received: number
  reply: Reply
  /** It was queued in a transaction: Redis ran it at the transaction's end, or never. */
  readonly queued: boolean
  ran: boolean
  /** What the connection had read under WATCH of the key that this one writes. */
  readonly watched: Reply | undefined
  /** Where Redis did it. */
  at: number | null
}

export type Fault = 'own' | 'age' | 'ttl' | 'never' | 'lost update' | 'not queued'

export interface Violation {
  readonly fault: Fault
  readonly text: string
}

export interface Verdict {
  readonly reads: number
  readonly violations: readonly Violation[]
  /** Of what was read, how long before the read was sent it had been current for the last time, ms: the highest. */
  readonly worstAgeMs: number
}

export interface Run {
  readonly done: readonly Done[]
  readonly operations: readonly Operation[]
  /** By connection: its address as Redis sees it. */
  readonly addresses: readonly string[]
  readonly stalenessMs: number
  /** Reads between are not judged: Redis was being started anew. */
  readonly gaps: readonly (readonly [from: number, to: number])[]
}

/** Between two clocks, and what Redis does and what it says about when. */
const slackMs = 15

export function judge(run: Run): Verdict {
  const written = new Written(run)
  const violations: Violation[] = []
  let reads = 0
  let worstAgeMs = 0
  for (const operation of run.operations) {
    if (run.gaps.some(([from, to]) => operation.received >= from && operation.sent <= to)) continue
    if (operation.reply === notAnswered) continue
    if (operation.queued && operation.reply === notQueued) violations.push({ fault: 'not queued', text: operation.words.join(' ') })
    if (operation.watched !== undefined && operation.at !== null) {
      const { watched } = operation
      const before = written.before(operation)
      if (!before.some((state) => fits(state, ['GET', ''], watched, operation, run.stalenessMs)))
        violations.push({ fault: 'lost update', text: `${operation.words.join(' ')} after ${show(watched)}, was ${showState(before[0])}` })
    }
    if (!isRead(operation) || (operation.queued && !operation.ran)) continue
    reads += 1
    const judged = judgeRead(operation, written, run.stalenessMs)
    if (typeof judged === 'number') worstAgeMs = Math.max(worstAgeMs, judged)
    else violations.push(judged)
  }
  return { reads, violations, worstAgeMs }
}

/** Of an operation whose connection was lost before its reply. */
export const notAnswered = new RespError('not answered')
export const notQueued = new RespError('not queued')

const readers = new Set(['GET', 'MGET', 'EXISTS', 'TTL', 'PTTL', 'HGET', 'HMGET', 'HGETALL'])

function isRead({ words: [command = ''] }: Operation): boolean {
  return readers.has(command)
}

/** The age, or what is wrong. */
function judgeRead(operation: Operation, written: Written, stalenessMs: number): number | Violation {
  const [command = '', ...args] = operation.words
  const { reply } = operation
  if (command === 'MGET' && Array.isArray(reply)) {
    let worst = 0
    for (const [index, name] of args.entries()) {
      const one: Operation = { ...operation, words: ['MGET', name], reply: [reply[index] ?? null] }
      const judged = judgeOne(one, name, written, stalenessMs)
      if (typeof judged !== 'number') return judged
      worst = Math.max(worst, judged)
    }
    return worst
  }
  if (command === 'EXISTS' && typeof reply === 'number' && args.length > 1) return judgeCount(operation, args, written, stalenessMs)
  return judgeOne(operation, args[0] ?? '', written, stalenessMs)
}

/** EXISTS of several: as many as at least were and at most were there. */
function judgeCount(operation: Operation, names: readonly string[], written: Written, stalenessMs: number): number | Violation {
  let [least, most] = [0, 0]
  for (const name of names) {
    const may = (reply: number) =>
      typeof judgeOne({ ...operation, words: ['EXISTS', name], reply }, name, written, stalenessMs) === 'number'
    const [absent, there] = [may(0), may(1)]
    if (!absent) least += 1
    if (there) most += 1
  }
  const count = Number(operation.reply)
  return count >= least && count <= most
    ? 0
    : { fault: 'age', text: `${operation.words.join(' ')} → ${count}, expected ${least} to ${most}` }
}

function judgeOne(operation: Operation, name: string, written: Written, stalenessMs: number): number | Violation {
  const { words, sent, received, reply } = operation
  const key = `${operation.db}:${name}`
  const spans = written.history.spans.get(key) ?? [{ state: null, at: -1, from: Number.NEGATIVE_INFINITY }]
  const own = written.lastOwn(key, operation)
  let fault: Fault = 'never'
  for (let index = lastBefore(spans, received + slackMs); index >= 0; index--) {
    const span = spans[index]
    if (span === undefined) break
    const next = spans[index + 1]
    if (!fits(span.state, words, reply, operation, stalenessMs)) continue
    const end = next?.from ?? Number.POSITIVE_INFINITY
    if (end < sent - stalenessMs - slackMs) {
      if (fault === 'never') fault = 'age'
      break
    }
    if (next !== undefined && next.at <= own) fault = 'own'
    else if (span.state !== null && span.state !== 'unsure' && span.state.expiresAt < sent - slackMs) fault = 'ttl'
    else return Math.max(0, sent - end)
  }
  const recent = spans.slice(-1_000).filter(({ from }) => from > sent - 2 * stalenessMs && from < received + 100)
  const was = recent.map(({ state, from, at }) => `${Math.round(from - sent)} ms #${at}: ${showState(state)}`).join(', ')
  const took = Math.round(received - sent)
  return { fault, text: `${words.join(' ')} → ${show(reply)} in ${took} ms on ${operation.connection}, own write at #${own}; was ${was}` }
}

/**
 * Whether Redis could have answered this of a key that held that. A TTL is counted down to some moment of the read; the cache's is shorter by
 * what it took to read the key, which is less than S.
 */
function fits(
  state: State,
  [command = '', , ...fields]: readonly string[],
  reply: Reply,
  { sent, received }: Operation,
  stalenessMs: number,
): boolean {
  if (state === 'unsure') return true
  const isHash = state !== null && typeof state.value !== 'string'
  const wrongType = reply instanceof RespError && reply.line.startsWith('WRONGTYPE')
  switch (command) {
    case 'GET':
      return isHash ? wrongType : reply === (state?.value ?? null)
    case 'MGET':
      return Array.isArray(reply) && reply[0] === (isHash ? null : (state?.value ?? null))
    case 'EXISTS':
      return reply === (state === null ? 0 : 1)
    case 'TTL':
    case 'PTTL': {
      if (state === null) return reply === -2
      if (state.expiresAt === Number.POSITIVE_INFINITY) return reply === -1
      if (typeof reply !== 'number' || reply < 0) return false
      const [least, most] = command === 'PTTL' ? [reply, reply] : [reply * 1_000 - 500, reply * 1_000 + 500]
      return state.expiresAt - most <= received + stalenessMs + slackMs && state.expiresAt - least >= sent - slackMs
    }
    default:
      if (state !== null && typeof state.value === 'string') return wrongType
      return fitsHash(state?.value as ReadonlyMap<string, string> | undefined, command, fields, reply)
  }
}

function fitsHash(value: ReadonlyMap<string, string> | undefined, command: string, fields: readonly string[], reply: Reply): boolean {
  if (command === 'HGET') return reply === (value?.get(fields[0] ?? '') ?? null)
  if (!Array.isArray(reply)) return false
  if (command === 'HMGET') return fields.every((field, at) => reply[at] === (value?.get(field) ?? null))
  if (reply.length !== 2 * (value?.size ?? 0)) return false
  for (let at = 0; at < reply.length; at += 2) if (value?.get(String(reply[at])) !== reply[at + 1]) return false
  return true
}

function lastBefore(spans: readonly Span[], time: number): number {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((spans[middle]?.from ?? 0) <= time) low = middle + 1
    else high = middle
  }
  return low - 1
}

interface OwnWrite {
  readonly at: number
  readonly received: number
  readonly connection: number
  readonly turn: number
}

/** Which operation is which of the things that Redis did, and the keys that each has written. */
class Written {
  readonly history = new History()
  /** `0:name` → writes through a gateway, by when their replies came; `at` is the highest so far. */
  readonly #answered = new Map<string, OwnWrite[]>()
  /** … and by connection and turn. */
  readonly #sent = new Map<string, OwnWrite[]>()

  readonly #done: readonly Done[]

  constructor({ done, operations, addresses }: Run) {
    this.#done = done
    const queues = new Map<string, Operation[]>()
    for (const address of addresses) queues.set(address, [])
    for (const operation of operations) {
      if (operation.connection === null || isRead(operation) || (operation.queued && !operation.ran)) continue
      queues.get(addresses[operation.connection] ?? '')?.push(operation)
    }
    for (const queue of queues.values()) queue.sort((a, b) => a.turn - b.turn)
    const heads = new Map<string, number>()
    let scripted: Operation | null = null
    for (const line of done) {
      const operation: Operation | null = line.by === 'lua' ? scripted : this.#take(queues.get(line.by), heads, line)
      if (line.by !== 'lua') scripted = operation
      if (operation !== null) operation.at ??= line.at
      for (const key of this.history.apply(line)) if (operation !== null) this.#note(key, line.at, operation)
    }
    this.history.finish()
    for (const writes of this.#answered.values()) highestSoFar(writes.sort((a, b) => a.received - b.received))
    for (const writes of this.#sent.values()) highestSoFar(writes.sort((a, b) => a.turn - b.turn))
  }

  #take(queue: readonly Operation[] | undefined, heads: Map<string, number>, { by, words }: Done): Operation | null {
    if (queue === undefined || readers.has(words[0] ?? '')) return null
    const head = heads.get(by) ?? 0
    const found = queue.findIndex((operation, at) => at >= head && sameWords(operation.words, words))
    if (found === -1) return null
    heads.set(by, found + 1)
    return queue[found] ?? null
  }

  #note(key: string, at: number, { received, connection, turn }: Operation): void {
    const write = { at, received, connection: connection ?? -1, turn }
    push(this.#answered, key, write)
    push(this.#sent, `${connection} ${key}`, { ...write })
  }

  /** Position of the last write of the key that this read has to have seen. */
  lastOwn(key: string, { sent, connection, turn }: Operation): number {
    if (connection === null) return -1
    const answered = last(this.#answered.get(key), (write) => write.received < sent)
    return Math.max(
      answered,
      last(this.#sent.get(`${connection} ${key}`), (write) => write.turn < turn),
    )
  }

  /** What the key of this write held before; of two states, if the one had just expired. */
  before({ db, words, at }: Operation): readonly State[] {
    const spans = this.history.spans.get(`${db}:${words[1]}`) ?? []
    const index = spans.findLastIndex((span) => span.at < (at ?? 0))
    const [span, earlier] = [spans[index], spans[index - 1]]
    const time = this.#done[at ?? 0]?.time ?? 0
    const hasJustExpired = span !== undefined && span.at % 1 !== 0 && time - span.from < slackMs
    return [span?.state ?? null, ...(hasJustExpired && earlier !== undefined ? [earlier.state] : [])]
  }
}

function sameWords(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((word, at) => word === others[at])
}

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const found = map.get(key)
  if (found === undefined) map.set(key, [item])
  else found.push(item)
}

function highestSoFar(writes: OwnWrite[]): void {
  let highest = -1
  for (const [index, write] of writes.entries()) {
    highest = Math.max(highest, write.at)
    writes[index] = { ...write, at: highest }
  }
}

/** `writes` in the order of what is asked. */
function last(writes: readonly OwnWrite[] | undefined, isBefore: (write: OwnWrite) => boolean): number {
  if (writes === undefined) return -1
  let [low, high] = [0, writes.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const write = writes[middle]
    if (write !== undefined && isBefore(write)) low = middle + 1
    else high = middle
  }
  return writes[low - 1]?.at ?? -1
}

function show(reply: Reply): string {
  return reply instanceof RespError ? reply.line : JSON.stringify(reply)?.slice(0, 80)
}

function showState(state: State | undefined): string {
  if (state === undefined || state === null || state === 'unsure') return String(state)
  const value = typeof state.value === 'string' ? state.value.slice(0, 40) : JSON.stringify([...state.value])
  return state.expiresAt === Number.POSITIVE_INFINITY ? value : `${value} until ${Math.round(state.expiresAt)}`
}
