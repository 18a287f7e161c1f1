/** Why a key is answered from a view, or is not. */
import { plainKeyText } from '../config/key-text.ts'
import { errorMessage } from '../errors.ts'
import type { Caching } from './caching.ts'
import { type Entry, keyOf, type Name, nameOf } from './entry.ts'
import { type Read, readKeys } from './read-keys.ts'

export interface KeyExplanation {
  /** What is no text as `\xHH`. */
  readonly key: string
  readonly verdict: string
  readonly views: readonly HeldKey[]
}

export interface HeldKey {
  readonly version: string
  readonly held: Held | null
}

export interface Held {
  readonly is: Entry['payload']['is']
  readonly bytes: number
  /** ms since it was read. */
  readonly ageMs: number
  /** ms until Redis lets it expire; null without a TTL. */
  readonly ttlMs: number | null
  /** Clients have read it since. */
  readonly hit: boolean
}

/** Reads the key once more, as a fill would, where nobody holds it. */
export async function explainKey(caching: Caching | null, key: Buffer, now: number): Promise<KeyExplanation> {
  const name = nameOf(key)
  const views = (caching?.views ?? []).map((view) => {
    const entry = view.peek(name)
    return { version: view.version, held: entry === undefined || now >= entry.deadline ? null : heldOf(entry, view.wasHit(name), now) }
  })
  return { key: plainKeyText(name), verdict: await verdictOf(caching, name, views), views }
}

async function verdictOf(caching: Caching | null, name: Name, views: readonly HeldKey[]): Promise<string> {
  if (caching === null) return 'passed through: the configuration has no cache'
  const { tracker, settings } = caching
  if (!settings.prefixes.some((prefix) => name.startsWith(prefix))) return 'passed through: under none of cache.prefixes'
  const { session, whyNot } = tracker
  if (session === null) return `passed through: ${whyNot}`
  const holders = views.flatMap(({ version, held }) => (held === null ? [] : [version]))
  if (holders.length > 0) return `answered from the cache of ${holders.join(' and ')}`
  try {
    const [read] = await readKeys(session, [{ key: keyOf(name), want: 'any' }], settings)
    return read === undefined ? 'passed through' : readVerdict(read)
  } catch (error) {
    return `passed through: Redis was lost while it was asked (${errorMessage(error)})`
  }
}

function readVerdict(read: Read): string {
  if (read.is === 'refused') return `passed through, and not kept: ${read.why}`
  const what = read.payload.is === 'absent' ? 'Redis has no such key' : `a ${read.payload.is} that may be kept`
  return `passed through: ${what}, and it was not asked for twice yet`
}

function heldOf({ payload, bytes, readAt, expiresAt }: Entry, hit: boolean, now: number): Held {
  const ttlMs = expiresAt === Number.POSITIVE_INFINITY ? null : Math.ceil(expiresAt - now)
  return { is: payload.is, bytes, ageMs: Math.round(now - readAt), ttlMs, hit }
}
