/** A batch is built from the view at the moment of its sending, in one step, and ends early where that would keep the event loop. */
import type { World } from '../../world.ts'
import { type Entry, keyOf, type Name } from '../entry.ts'
import type { View } from '../view.ts'
import type { Dirty } from './dirty.ts'
import { type Header, limits, wireText } from './wire.ts'

export interface Ops {
  readonly lines: readonly string[]
  /** What did not fit into a line, and went as a delete. */
  readonly tooLong: number
}

/** Room for a header. */
const headerBytes = 1_024
const sliceMs = 3

export function takeOps(dirty: Dirty, view: View, world: Pick<World, 'elapsed'>, maxOps: number): Ops {
  const now = world.elapsed()
  const lines = dirty.takeClear() ? ['{"op":"clear"}'] : []
  let bytes = headerBytes
  let tooLong = 0
  while (lines.length < Math.min(maxOps, limits.ops) && world.elapsed() - now < sliceMs) {
    const taken = dirty.take()
    if (taken === null) break
    const key = wireText(keyOf(taken.name))
    const set = setLine(key, view.peek(taken.name), now)
    const isTooLong = set !== null && Buffer.byteLength(set) > limits.lineBytes
    if (isTooLong) tooLong += 1
    const line = set === null || isTooLong ? `{"op":"delete","key":${key}}` : set
    const size = Buffer.byteLength(line) + 1
    if (size > limits.lineBytes) continue
    if (bytes + size > limits.batchBytes) {
      dirty.giveBack(taken)
      break
    }
    bytes += size
    lines.push(line)
  }
  return { lines, tooLong }
}

export function batchOf(header: Omit<Header, 'v' | 'ops'>, lines: readonly string[]): Buffer {
  const { instance, epoch, seq, fence, leaseMs } = header
  const first: Header = { v: 1, instance, epoch, seq, fence, leaseMs, ops: lines.length }
  return Buffer.from(`${[JSON.stringify(first), ...lines].join('\n')}\n`)
}

/** Whether an app can be told of it: of some fields alone it could not say what the others are. */
export function isTellable(entry: Entry | undefined, now: number): entry is Entry {
  return entry !== undefined && entry.deadline - now >= 1 && !(entry.payload.is === 'hash' && !entry.payload.whole)
}

/** Null: nothing to be held. */
function setLine(key: string, entry: Entry | undefined, now: number): string | null {
  if (!isTellable(entry, now)) return null
  const { payload, deadline } = entry
  const ttl = deadline === Number.POSITIVE_INFINITY ? '' : `,"ttlMs":${Math.floor(deadline - now)}`
  const start = `{"op":"set","key":${key}${ttl}`
  switch (payload.is) {
    case 'absent':
      return `${start},"absent":true}`
    case 'string':
      return `${start},"value":${wireText(payload.value)}}`
    case 'hash':
      return `${start},"hash":[${pairsOf(payload.fields)}]}`
  }
}

function pairsOf(fields: ReadonlyMap<Name, Buffer | null>): string {
  const pairs: string[] = []
  for (const [field, value] of fields) if (value !== null) pairs.push(`[${wireText(keyOf(field))},${wireText(value)}]`)
  return pairs.join(',')
}
