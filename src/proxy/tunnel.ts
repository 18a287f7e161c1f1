/**
 * The relay of an upgraded exchange. Without a drain, bytes pass as they come. Asked to leave, a WebSocket ends between two frames: the client
 * hears 1012 (service restart) and may come back, the app 1001 (going away). Each direction by itself:
 *
 *   relaying ──leave──► finishing ──the present frame ends──► closed: our close frame goes out, what still comes is dropped
 *
 * A side has answered once its own close frame has come, or it has ended; when both have, the exchange is over. Nothing here waits longer than
 * its peers: the drain's deadline cuts. Another upgrade than WebSocket has no frames to end between and is only ever cut.
 */
import type { Call } from '../upstream/transport/transport.ts'
import type { Inbound } from './inbound/inbound.ts'
import { closeFrame, FrameScanner } from './websocket-frames.ts'

const serviceRestart = 1012
const goingAway = 1001

/** Where one direction's bytes go. */
type Out = Pick<Call, 'write'> & { end(trailers: null): void }

export interface TunnelParts {
  readonly client: Pick<Inbound, 'write' | 'end' | 'resume'>
  readonly app: Pick<Call, 'write' | 'end' | 'resume'>
  readonly isWebSocket: boolean
  /** 32 bits, for the close frame to the app. */
  readonly maskKey: number
  /** Asked to leave, it has. */
  left(): void
}

export class Tunnel {
  readonly #parts: TunnelParts
  readonly #fromClient: Direction | null
  readonly #fromApp: Direction | null
  #leaving = false

  constructor(parts: TunnelParts) {
    const { client, app, isWebSocket } = parts
    this.#parts = parts
    this.#fromClient = isWebSocket ? new Direction(app) : null
    this.#fromApp = isWebSocket ? new Direction(client) : null
  }

  /** Ends and losses of either side are told to `clientEnded` and `appEnded` from here. */
  get leaving(): boolean {
    return this.#leaving
  }

  /** False asks to wait until the app can take more. */
  fromClient(bytes: Uint8Array): boolean {
    if (this.#fromClient === null) return this.#parts.app.write(bytes)
    const taken = this.#fromClient.take(bytes)
    if (this.#leaving) this.#advance()
    return taken
  }

  fromApp(bytes: Uint8Array): boolean {
    if (this.#fromApp === null) return this.#parts.client.write(bytes)
    const taken = this.#fromApp.take(bytes)
    if (this.#leaving) this.#advance()
    return taken
  }

  /** Only while both directions are open. Two that are already saying goodbye to each other are left alone. */
  leave(): void {
    const [fromClient, fromApp] = [this.#fromClient, this.#fromApp]
    if (this.#leaving || fromClient === null || fromApp === null) return
    if (fromClient.answered || fromApp.answered) return
    this.#leaving = true
    const { app, client, maskKey } = this.#parts
    fromApp.leave(closeFrame(serviceRestart, null))
    fromClient.leave(closeFrame(goingAway, maskKey))
    // what was stopped because its receiver was slow: the answer to our close frame is behind it
    app.resume()
    client.resume()
  }

  clientEnded(): void {
    this.#fromClient?.ended()
    this.#advance()
  }

  appEnded(): void {
    this.#fromApp?.ended()
    this.#advance()
  }

  /** RFC 6455 section 7.1.1: the server ends the connection, once the client has answered. */
  #advance(): void {
    const [fromClient, fromApp] = [this.#fromClient, this.#fromApp]
    if (fromClient === null || fromApp === null) return
    if (fromClient.answered) fromApp.end()
    if (fromApp.answered) fromClient.end()
    if (fromClient.answered && fromApp.answered && fromClient.isEnded && fromApp.isEnded) this.#parts.left()
  }
}

class Direction {
  readonly #out: Out
  readonly #frames = new FrameScanner()
  #state: 'relaying' | 'finishing' | 'closed' = 'relaying'
  #close: Uint8Array | null = null
  #sourceEnded = false
  #isEnded = false

  constructor(out: Out) {
    this.#out = out
  }

  /** Its source has said all that it will. */
  get answered(): boolean {
    return this.#sourceEnded || this.#frames.closeSeen
  }
  /** Its receiver was told the end. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  take(bytes: Uint8Array): boolean {
    if (this.#state === 'relaying') {
      this.#frames.pass(bytes)
      return this.#out.write(bytes)
    }
    return this.#state === 'finishing' ? this.#finish(bytes) : this.#drop(bytes, 0)
  }

  leave(close: Uint8Array): void {
    this.#close = close
    this.#state = 'finishing'
    if (this.#frames.atBoundary) this.#closeNow()
  }

  /** Its source ended or is lost. Within a frame there is no place for ours. */
  ended(): void {
    this.#sourceEnded = true
    if (this.#state !== 'finishing') return
    this.#state = 'closed'
    this.end()
  }

  /** Ends the receiver's side, once it has been told why or cannot be. */
  end(): void {
    if (this.#state !== 'closed' || this.#isEnded) return
    this.#isEnded = true
    this.#out.end(null)
  }

  #finish(bytes: Uint8Array): boolean {
    const at = this.#frames.next(bytes, 0)
    if (at === -1) return this.#out.write(bytes)
    this.#out.write(bytes.subarray(0, at))
    this.#closeNow()
    return this.#drop(bytes, at)
  }

  #closeNow(): void {
    this.#state = 'closed'
    // the frame that has just ended may be the source's own close frame
    if (this.#close !== null && !this.#frames.closeSeen) this.#out.write(this.#close)
  }

  /** Nothing passes any more; only the source's close frame is looked for. */
  #drop(bytes: Uint8Array, from: number): boolean {
    for (let at = from; at !== -1 && at < bytes.length && !this.#frames.closeSeen; ) at = this.#frames.next(bytes, at)
    return true
  }
}
