/** The seam between an exchange and the protocol that an app speaks: one file a protocol beside this one. */
import type { Fault } from '../../errors.ts'
import type { Raw } from '../../routing/route.ts'

/** A resolved place: nothing here is looked up again. */
export type Endpoint =
  | { readonly is: 'tcp'; readonly address: string; readonly port: number }
  | { readonly is: 'unix'; readonly path: string }

/** `none`: the request has no body; `chunked`: its length is not known; else its length in bytes. */
export type BodyLength = 'none' | 'chunked' | number

/** What the app is sent, after the header pass: no hop-by-hop field is in `raw`. */
export interface UpstreamHead {
  readonly method: string
  readonly target: string
  readonly raw: Raw
  readonly body: BodyLength
  /** The protocol to upgrade to, or null. */
  readonly upgrade: string | null
  /** The client sends its body only when it is asked to: by `Answer.wanted`, once the connection to the app stands. */
  readonly expectContinue: boolean
}

/** How much of the request may have reached the app when a call failed. */
export type Sent = 'nothing' | 'part' | 'all'

/** Who hears of one call: the exchange. After `failed`, or `end` with both sides ended, a call says nothing more. */
export interface Answer {
  /** 1xx except 101. */
  inform(status: number, raw: Raw): void
  /** Once. */
  respond(status: number, reason: string, raw: Raw): void
  /** 101: from here chunks are raw bytes, and `end(null)` is a half-close. */
  upgraded(raw: Raw): void
  /** False asks the call to pause; `Call.resume` says when to go on. */
  chunk(bytes: Uint8Array): boolean
  end(trailers: Raw | null): void
  /** After `Call.write` returned false. */
  writable(): void
  /** The request's body is wanted. */
  wanted(): void
  failed(fault: Fault, sent: Sent): void
}

/** One attempt at the app. After `abort` it calls its `Answer` no more. */
export interface Call {
  /** The bytes belong to the call from here; false asks to wait for `Answer.writable`. */
  write(bytes: Uint8Array): boolean
  end(trailers: Raw | null): void
  /** After `Answer.chunk` returned false. */
  resume(): void
  abort(fault: Fault): void
}

/** Connections to one endpoint. */
export interface Transport {
  /** Calls nothing of `answer` before it returns. */
  open(head: UpstreamHead, answer: Answer): Call
  /** Connections now: for the gauge. */
  readonly connections: number
  /** Lets calls under way end, closes idle connections, takes no new call. */
  close(): Promise<void>
  /** Cuts what is left. */
  destroy(): void
}
