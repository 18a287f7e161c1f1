/** A batch as it came over the wire: whole and right, or refused whole. */
import { bytesOfWire, type Header, isCount, isRecord, limits } from '../push/wire.ts'
import type { Bytes, Payload } from './map.ts'
import { type Name, nameOf } from './name.ts'

export type ReceivedOp =
  | { readonly is: 'clear' }
  | { readonly is: 'delete'; readonly name: Name }
  /** `ttlMs`: Infinity without one. */
  | { readonly is: 'set'; readonly name: Name; readonly payload: Payload; readonly ttlMs: number }

export interface Batch {
  readonly header: Header
  readonly ops: readonly ReceivedOp[]
}

/** Null where it is not one. */
export function batchOf(body: Buffer): Batch | null {
  if (body.length > limits.batchBytes) return null
  const lines = linesOf(body)
  const [first, ...rest] = lines ?? []
  const header = headerOf(first)
  if (header === null || rest.length !== header.ops) return null
  const ops: ReceivedOp[] = []
  for (const line of rest) {
    const op = opOf(line)
    if (op === null) return null
    ops.push(op)
  }
  return { header, ops }
}

/** Each line ends with a line feed, the last one too. */
function linesOf(body: Buffer): unknown[] | null {
  const lines: unknown[] = []
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf(10, at)
    if (end === -1 || end - at >= limits.lineBytes || lines.length > limits.ops) return null
    try {
      lines.push(JSON.parse(body.toString('utf8', at, end)))
    } catch {
      return null
    }
    at = end + 1
  }
  return lines
}

function headerOf(line: unknown): Header | null {
  if (!isRecord(line)) return null
  const { v, instance, epoch, seq, fence, leaseMs, ops } = line
  if (v !== 1 || (instance !== null && typeof instance !== 'string')) return null
  if (!isCount(epoch) || !isCount(seq) || !isCount(fence) || !isCount(leaseMs) || !isCount(ops)) return null
  return { v, instance, epoch, seq, fence, leaseMs, ops }
}

function opOf(line: unknown): ReceivedOp | null {
  if (!isRecord(line)) return null
  if (line.op === 'clear') return { is: 'clear' }
  const key = bytesOfWire(line.key)
  if (key === null) return null
  const name = nameOf(key)
  if (line.op === 'delete') return { is: 'delete', name }
  const payload = payloadOf(line)
  const { ttlMs = Number.POSITIVE_INFINITY } = line
  if (line.op !== 'set' || payload === null || typeof ttlMs !== 'number' || ttlMs < 0) return null
  return { is: 'set', name, payload, ttlMs }
}

function payloadOf({ value, hash, absent }: Readonly<Record<string, unknown>>): Payload | null {
  if (absent === true) return { is: 'absent' }
  if (!Array.isArray(hash)) {
    const held = heldOf(value)
    return held === null ? null : { is: 'value', value: held }
  }
  const fields: (readonly [Bytes, Bytes])[] = []
  for (const pair of hash) {
    const [field, text] = Array.isArray(pair) ? [heldOf(pair[0]), heldOf(pair[1])] : [null, null]
    if (field === null || text === null) return null
    fields.push([field, text])
  }
  return { is: 'hash', fields }
}

function heldOf(value: unknown): Bytes | null {
  return typeof value === 'string' ? value : bytesOfWire(value)
}
