/** The seam between an exchange and the protocol that a client speaks: one file a protocol beside this one. */
import type { Fault } from '../../errors.ts'
import type { Raw, RouteRequest } from '../../routing/route.ts'
import type { BodyLength } from '../../upstream/transport/transport.ts'

/** The client's side of a connection, and what it says of those before it. */
export interface Peer {
  /** The socket's remote address; '' for a Unix socket. */
  readonly address: string
  /** It is one of the listener's `trustedHops`: its forwarding headers are believed. */
  readonly trusted: boolean
}

/** A request that has one reading. */
export interface Head extends RouteRequest {
  readonly http: 10 | 11 | 20
  /** As sent, with its port. */
  readonly authority: string
  readonly body: BodyLength
  /** The protocol to upgrade to, if this inbound carries such an upgrade. */
  readonly upgrade: string | null
  readonly expectContinue: boolean
  /** Field names that `Connection` lists, in lower case. */
  readonly listed: ReadonlySet<string> | null
  readonly peer: Peer
}

/** One request on its way in and its response on its way out. After `abort`, or when both sides have ended, it calls its receiver no more. */
export interface Inbound {
  readonly head: Head
  /** 1xx except 101. */
  inform(status: number, raw: Raw): void
  /** Once. `close`: the connection is not to be used again. */
  respond(status: number, reason: string, raw: Raw, close: boolean): void
  /** 101: from here bytes are the tunnel's. */
  upgrade(raw: Raw): void
  /** False asks to wait for `Receiver.writable`. */
  write(bytes: Uint8Array): boolean
  end(trailers: Raw | null): void
  /** A request's body arrives only after the first `resume`. */
  pause(): void
  resume(): void
  /** The response cannot be completed; the client must be able to tell. */
  abort(fault: Fault): void
}

/** Who takes what an inbound brings: the exchange. Its words differ from `Answer`'s, since one object is both. */
export interface Receiver {
  /** Bytes of the request's body. False asks the inbound to pause. */
  body(bytes: Uint8Array): boolean
  bodyEnd(trailers: Raw | null): void
  /** After `Inbound.write` returned false. */
  sendable(): void
  /** The client is gone, or its body cannot be read (then the fault has an answer). */
  gone(fault: Fault): void
}

/** Begins the exchange of a request. */
export type Accept = (inbound: Inbound) => Receiver
