/**
 * The shape of one conformance case: data only. A case says what a client sends, what the app does with each request that reaches it,
 * and what each side must then have seen. `$LANE` in a text is the lane that the case runs in (`wire.ts`).
 */
import type { Framing } from '../kit/raw-message.ts'

/** One thing that a side does or waits for. Texts are latin1: one character, one byte. */
export type Step =
  | { readonly send: string }
  /** Waits until this side has received the text. */
  | { readonly sees: string }
  /** Waits until the other side has received the text. */
  | { readonly other: string }
  /** Waits until this side has received so many bytes. */
  | { readonly gets: number }
  /** Client: waits for so many final responses, whole. */
  | { readonly responses: number }
  /** Writes so many bytes of `x` without waiting for them to leave. */
  | { readonly flood: number }
  /** Waits until the other side's flood no longer moves, and checks that it is not done: backpressure reached it. */
  | 'stalled'
  /** App: waits for the whole request. */
  | 'request'
  /** Half-closes. */
  | 'end'
  | 'reset'
  /** Waits for this connection's end, from the other side. */
  | 'closed'
  | 'pause'
  | 'resume'

export interface ExpectedMessage {
  /** Header lines that must be there, byte for byte and in this order among themselves. */
  readonly has?: readonly string[]
  /** Field names that must not be there. */
  readonly lacks?: readonly string[]
  /** By name: the values of all its lines, joined by `, `. */
  readonly fields?: Readonly<Record<string, string | RegExp>>
  readonly body?: string
  readonly bodyBytes?: number
  readonly framing?: Framing | readonly Framing[]
  readonly trailers?: readonly string[]
  /** Default true. False: the message must be visibly cut, and its connection ended. */
  readonly whole?: boolean
}

export interface ExpectedRequest extends ExpectedMessage {
  readonly line?: string | RegExp
}

export interface ExpectedResponse extends ExpectedMessage {
  readonly status: number | readonly number[]
  /** The whole status line. */
  readonly line?: string
  /** It answers a HEAD request. */
  readonly head?: true
  /** Statuses of the 1xx responses before it, joined by `,`; default none. */
  readonly informs?: RegExp
  readonly informHas?: readonly string[]
}

export interface Expected {
  /**
   * What reached the app: `nothing` (no byte of a request), `nothing whole` (no complete request, and what began was cut),
   * `anything` (not judged beyond being well formed), or the requests in order.
   */
  readonly app: 'nothing' | 'nothing whole' | 'anything' | ExpectedRequest | readonly ExpectedRequest[]
  /** The final responses in order; `nothing`: not one byte; `anything`: not judged. */
  readonly client: 'nothing' | 'anything' | ExpectedResponse | readonly ExpectedResponse[]
  /** `kept` is shown by one more request on it. Default: not judged. */
  readonly connection?: 'kept' | 'closed'
  /** Bytes after the upgrade, on each side. */
  readonly tunnel?: { readonly app?: string; readonly client?: string }
  /** The app saw the request's connection end. */
  readonly appToldOfEnd?: true
  /** How many connections carried the requests. */
  readonly appConnections?: number
}

export interface Case {
  readonly name: string
  /** The section that the expectation comes from: `RFC 9112 §6.3`, or `DESIGN §5`, which other proxies are not asked for. */
  readonly rfc: string
  /** A promise of DESIGN.md that other proxies make too, so that they are asked for it. */
  readonly everywhere?: true
  /** A text is sent at once, and then the expected responses awaited. */
  readonly send: string | readonly Step[]
  /** What the app does with a request. A list of lists: with the first, the second, …; the last is repeated. Default: reads it whole, answers 200 `ok`. */
  readonly app?: readonly Step[] | readonly (readonly Step[])[]
  /** Local address of the client; 127.0.0.2 is a trusted hop. */
  readonly from?: string
  /** Nothing listens on the app's port. */
  readonly appDown?: true
  readonly expect: Expected
}
