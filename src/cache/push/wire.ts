/** What baton and an app's cache say to each other: docs/reference/push.md is the contract. */
import { isUtf8 } from 'node:buffer'

/** JSON has text only: bytes that are no UTF-8, or that would be longer as text, come as base64. */
export type WireBytes = string | { readonly base64: string }

/** The first line of a batch. */
export interface Header {
  readonly v: 1
  /** Whom it is for; null in a greeting, which asks for that. */
  readonly instance: string | null
  readonly epoch: number
  readonly seq: number
  /** Every write of the app up to this one had been heard of when the batch was built. */
  readonly fence: number
  /** For how long after the sending of its last answer the app may answer from its map; 0: this batch does not prolong it. */
  readonly leaseMs: number
  /** How many lines follow. */
  readonly ops: number
}

export type Op =
  | { readonly op: 'clear' }
  | { readonly op: 'delete'; readonly key: WireBytes }
  | ({ readonly op: 'set'; readonly key: WireBytes; readonly ttlMs?: number } & WirePayload)

/** `hash` is whole; `absent` is known to be missing in Redis. */
export type WirePayload =
  | { readonly value: WireBytes }
  | { readonly hash: readonly (readonly [field: WireBytes, value: WireBytes])[] }
  | { readonly absent: true }

export type Answer =
  | {
      readonly v: 1
      readonly instance: string
      readonly epoch: number
      readonly seq: number
      /** The app's last write that has returned, as have all before it. */
      readonly fence: number
      /** What the app has missed lately. */
      readonly want?: readonly WireBytes[]
      /** What it has found in its map lately. */
      readonly hit?: readonly WireBytes[]
    }
  /** Nothing was taken: `seq` 1 of this epoch is what the app takes next, and why. */
  | {
      readonly v: 1
      readonly instance: string
      readonly epoch: number
      readonly seq: 0
      readonly fence: number
      readonly resync: string
    }

export const limits = {
  ops: 256,
  /** Of a batch with its header. */
  batchBytes: 1_048_576,
  lineBytes: 524_288,
  /** Names in an answer's `want`, and in its `hit`. */
  names: 256,
  answerBytes: 131_072,
} as const

/** Beside the text or base64: quotes, and `{"base64":""}`. */
const wrapping = 13

/** The JSON of a WireBytes. */
export function wireText(bytes: Buffer): string {
  if (isUtf8(bytes)) {
    const text = JSON.stringify(bytes.toString())
    // control characters take six
    if (Buffer.byteLength(text) <= (bytes.length * 4) / 3 + wrapping) return text
  }
  return `{"base64":"${bytes.toString('base64')}"}`
}

/** Null where it is none. */
export function bytesOfWire(value: unknown): Buffer | null {
  if (typeof value === 'string') return Buffer.from(value)
  if (!isRecord(value) || typeof value.base64 !== 'string') return null
  return Buffer.from(value.base64, 'base64')
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
