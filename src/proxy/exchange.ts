/**
 * One request and its response through baton: from the gate to the last byte.
 *
 *   queued ─admitted─► calling ─respond─► answering ─end─► over
 *     │                  │  ▲ └upgraded─► tunnel ─both ended─► over
 *     └─ refused, gone ──┤  └ retry: settles one claim and takes the next in the same step
 *                        └─ fault, gone, deadline ─► over; a drain asks streams and tunnels to go, and cuts
 *
 * Invariants: snapshot → route → claim is one synchronous step; each attempt has its own claim; it settles exactly once, in `#finish`.
 */
import type { Snapshot } from '../config/snapshot.ts'
import { Fault } from '../errors.ts'
import type { Decision, Raw } from '../routing/route.ts'
import { type Claim, type ClaimKind, outcomeOf } from '../upstream/claim.ts'
import type { Answer, Call, Sent } from '../upstream/transport/transport.ts'
import type { Version } from '../upstream/version.ts'
import { countsAgainstVersion, overdue } from './deadlines.ts'
import { EventStream, isEventStream } from './event-stream.ts'
import { fieldValue } from './field.ts'
import { responseFault } from './framing.ts'
import type { Waiter } from './gate.ts'
import { requestFields, responseFields, trailerFields, upgradeFields } from './headers.ts'
import type { Inbound, Receiver } from './inbound/inbound.ts'
import { type OwnAnswer, ownAnswer } from './max-forwards.ts'
import type { Plane } from './plane.ts'
import { Replay } from './replay.ts'
import { bodyOf, faultAnswers, faultFields } from './respond.ts'
import { isRetriable, nextOf } from './retry.ts'
import { Tunnel } from './tunnel.ts'

type Stage = 'queued' | 'calling' | 'answering' | 'tunnel' | 'over'

export class Exchange implements Receiver, Answer, Claim, Waiter {
  slot = -1
  claimedAt = 0
  readonly #inbound: Inbound
  readonly #plane: Plane
  readonly #beganAt: number
  #stage: Stage = 'queued'
  #snapshot: Snapshot | null = null
  #decision: Decision | null = null
  #version: Version | null = null
  #call: Call | null = null
  #replay: Replay | null = null
  #attempts = 0
  #informed = false
  #waited = false
  #requestEnded: boolean
  #responseEnded = false
  #status = 0
  #tunnel: Tunnel | null = null
  #events: EventStream | null = null
  #receivedBytes = 0
  #sentBytes = 0
  #activeAt: number
  #sentAt: number | null = null
  #clientSlow = false
  #appSlow = false

  constructor(inbound: Inbound, plane: Plane) {
    this.#inbound = inbound
    this.#plane = plane
    this.#beganAt = plane.world.elapsed()
    this.#activeAt = this.#beganAt
    const { body, upgrade } = inbound.head
    this.#requestEnded = body === 'none' && upgrade === null
    if (body === 'none') this.#sentAt = this.#beganAt
  }

  begin(): void {
    const own = ownAnswer(this.#inbound.head)
    if (own !== null) return this.#answer(own)
    this.#plane.budget.began(this.#beganAt)
    this.#plane.gate.enter(this, this.#plane.live.current().dynamic.limits, this.#beganAt)
    this.#waited = this.#stage === 'queued'
  }

  // the gate's word

  admitted(): void {
    const { live, world } = this.#plane
    const snapshot = live.current()
    this.#snapshot = snapshot
    this.#stage = 'calling'
    if (this.#waited) this.#restartClock()
    this.#decision = snapshot.router.decide(this.#inbound.head, world.random)
    const version = this.#serving(this.#decision.version) ?? this.#serving(this.#decision.fallback)
    if (version === null) this.#refuse(new Fault('not-serving', this.#whyNotServing(this.#decision)))
    else this.#attempt(version, this.#decision)
  }

  refused(fault: Fault): void {
    this.#refuse(fault)
  }

  // the client's side

  body(bytes: Uint8Array): boolean {
    if (this.#stage === 'over') return true
    this.#receivedBytes += bytes.length
    this.#activeAt = this.#plane.world.elapsed()
    const limit = this.#snapshot?.dynamic.limits.bodyBytes ?? 0
    if (limit > 0 && this.#receivedBytes > limit && this.#stage !== 'tunnel') {
      this.fail(new Fault('body-too-large', `body above ${limit} bytes`))
      return false
    }
    this.#replay?.keep(bytes)
    const taken = this.#tunnel?.fromClient(bytes) ?? this.#call?.write(bytes) ?? true
    this.#appSlow = !taken
    return taken
  }

  bodyEnd(trailers: Raw | null): void {
    if (this.#stage === 'over') return
    this.#requestEnded = true
    this.#sentAt = this.#plane.world.elapsed()
    if (this.#tunnel?.leaving === true) return this.#tunnel.clientEnded()
    this.#call?.end(trailers === null ? null : trailerFields(trailers))
    if (this.#stage === 'tunnel' && this.#responseEnded) this.#finish(null)
  }

  sendable(): void {
    this.#clientSlow = false
    this.#activeAt = this.#plane.world.elapsed()
    this.#call?.resume()
  }

  gone(fault: Fault): void {
    if (this.#tunnel?.leaving === true && this.#stage !== 'over') this.#tunnel.clientEnded()
    else this.fail(fault)
  }

  // the app's side

  wanted(): void {
    if (this.#stage === 'over') return
    this.#appSlow = false
    this.#activeAt = this.#plane.world.elapsed()
    const call = this.#call
    if (call !== null && this.#replay !== null) for (const bytes of this.#replay.chunks) call.write(bytes)
    if (this.#requestEnded) call?.end(null)
    else this.#inbound.resume()
  }

  writable(): void {
    this.#appSlow = false
    if (this.#stage !== 'over' && !this.#requestEnded) this.#inbound.resume()
  }

  inform(status: number, raw: Raw): void {
    this.#informed = true
    if (this.#stage === 'calling' && this.#inbound.head.http !== 10) this.#inbound.inform(status, responseFields(raw, status, null))
  }

  respond(status: number, reason: string, raw: Raw): void {
    const unreadable = responseFault(raw)
    if (unreadable !== null) return this.fail(unreadable)
    this.#version?.answered()
    this.#stage = 'answering'
    this.#status = status
    this.#replay = null
    if (isEventStream(raw)) this.#events = new EventStream(raw, this.#inbound, () => this.#left())
    this.#activeAt = this.#plane.world.elapsed()
    try {
      this.#inbound.respond(status, reason, responseFields(raw, status, this.#servedBy()), this.#lastOnConnection)
    } catch (error) {
      this.#stage = 'calling'
      this.fail(new Fault('upstream-protocol', 'response head with characters that HTTP does not allow', error))
    }
  }

  upgraded(raw: Raw): void {
    const { upgrade } = this.#inbound.head
    if (upgrade === null || fieldValue(raw, 'upgrade')?.toLowerCase() !== upgrade) {
      return this.fail(new Fault('upstream-protocol', 'the version switched to a protocol that was not asked for'))
    }
    this.#version?.answered()
    this.#stage = 'tunnel'
    this.#status = 101
    this.#replay = null
    const [client, app, maskKey] = [this.#inbound, this.#call, Math.floor(this.#plane.world.random() * 2 ** 32)]
    if (app !== null) this.#tunnel = new Tunnel({ client, app, isWebSocket: upgrade === 'websocket', maskKey, left: () => this.#left() })
    this.#inbound.upgrade(upgradeFields(raw, upgrade, this.#servedBy()))
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#stage === 'over') return false
    this.#sentBytes += bytes.length
    this.#activeAt = this.#plane.world.elapsed()
    const taken = (this.#tunnel ?? this.#events)?.fromApp(bytes) ?? this.#inbound.write(bytes)
    this.#clientSlow = !taken
    return taken
  }

  end(trailers: Raw | null): void {
    if (this.#stage === 'over') return
    this.#responseEnded = true
    if (this.#tunnel?.leaving === true) return this.#tunnel.appEnded()
    this.#inbound.end(trailers === null ? null : trailerFields(trailers))
    if (this.#stage !== 'tunnel' || this.#requestEnded) this.#finish(null)
  }

  failed(fault: Fault, sent: Sent): void {
    const version = this.#version
    if (this.#stage === 'over' || version === null) return
    if (this.#tunnel?.leaving === true) return this.#tunnel.appEnded()
    if (fault.blame === 'upstream') {
      this.#blame(version, fault)
      this.#plane.versions.supervised(version.name)?.suspect()
    }
    if (this.#stage !== 'calling' || !this.#retry(fault, sent, version)) this.#end(fault)
  }

  // the drain's word, and deadlines

  get kind(): ClaimKind {
    if (this.#tunnel !== null) return 'tunnel'
    return this.#events === null ? 'request' : 'stream'
  }

  leave(): void {
    if (this.#stage === 'over') return
    this.#events?.leave()
    if (!this.#requestEnded && !this.#responseEnded) this.#tunnel?.leave()
  }

  /** A drain's deadline has passed. */
  cut(fault: Fault): void {
    this.fail(fault)
  }

  /** Ends it if one of its deadlines has passed. */
  check(now: number): void {
    const stage = this.#stage
    if (stage === 'queued' || stage === 'over' || this.#snapshot === null) return
    const progress = {
      stage,
      beganAt: this.#beganAt,
      activeAt: this.#activeAt,
      sentAt: this.#sentAt,
      clientEnded: this.#requestEnded,
      clientSlow: this.#clientSlow,
      appSlow: this.#appSlow,
      isStream: this.#events !== null,
    }
    const fault = overdue(progress, this.#snapshot.dynamic.timeouts, now)
    if (fault !== null) this.fail(fault)
  }

  /** Ends it by a fault, without another attempt. */
  fail(fault: Fault): void {
    if (this.#stage === 'over') return
    if (this.#stage === 'queued' && this.#plane.gate.forget(this)) return this.#refuse(fault)
    if (this.#version !== null && this.#countsAgainstVersion(fault)) this.#blame(this.#version, fault)
    this.#call?.abort(fault)
    this.#end(fault)
  }

  #attempt(version: Version, decision: Decision): void {
    const { head } = this.#inbound
    const transport = version.transport
    this.claimedAt = this.#activeAt
    version.claim(this)
    this.#version = version
    this.#attempts += 1
    if (this.#attempts === 1 && !this.#requestEnded && this.#snapshot !== null) {
      this.#replay = Replay.for(head, this.#snapshot.dynamic.retry.replayBytes)
    }
    this.#call = null
    // until the version wants the body, nobody has asked the client for it
    this.#appSlow = !this.#requestEnded
    const raw = requestFields(head, version.name, decision.set)
    const { method, target, body, upgrade, expectContinue } = head
    const upstream = { method, target, raw, body, upgrade, expectContinue }
    if (transport === null) this.#end(new Fault('not-serving', `${version.name} has no place to connect to`))
    else this.#call = transport.open(upstream, this)
  }

  #retry(fault: Fault, sent: Sent, failed: Version): boolean {
    const [snapshot, decision] = [this.#snapshot, this.#decision]
    if (snapshot === null || decision === null) return false
    const isWhole = this.#receivedBytes === 0 || this.#replay?.isWhole === true
    if (!isRetriable(fault, sent, this.#inbound.head.method) || !isWhole || this.#informed) return false
    const next = nextOf(fault, this.#attempts, failed, this.#serving(decision.fallback))
    if (next === null) return false
    const { budget, metrics, world } = this.#plane
    if (!budget.take(world.elapsed(), snapshot.dynamic.retry)) {
      metrics.add('baton_retries_refused_total', 1, failed.name)
      return false
    }
    metrics.add('baton_retries_total', 1, failed.name, fault.code, next.name)
    this.#inbound.pause()
    this.#restartClock()
    failed.settle(this, this.#activeAt, next === failed ? 'repeated' : outcomeOf(0, fault))
    this.#attempt(next, decision)
    return true
  }

  /** The version's deadlines begin with its own attempt, not with the wait before it. */
  #restartClock(): void {
    this.#activeAt = this.#plane.world.elapsed()
    if (this.#sentAt !== null) this.#sentAt = this.#activeAt
  }

  /** What it waits for is the version's doing only once the whole request is there, and while the client takes what comes. */
  #countsAgainstVersion(fault: Fault): boolean {
    return countsAgainstVersion(fault, this.#sentAt !== null && !this.#clientSlow)
  }

  /** The only one that serves is not taken out for it. */
  #blame(version: Version, fault: Fault): void {
    version.failed(fault.detail, this.#plane.versions.servingCount() <= 1)
  }

  /** A response before the request's end is: the rest of the body may never be read. */
  get #lastOnConnection(): boolean {
    return !this.#requestEnded || this.#plane.leaving()
  }

  /** Asked to go, it has come to a good end. A client that has not closed its side is not waited for. */
  #left(): void {
    const fault = new Fault('stopping', 'the version drains')
    this.#call?.abort(fault)
    if (this.#tunnel === null) this.#inbound.end(null)
    else if (!this.#requestEnded) this.#inbound.abort(fault)
    this.#finish(null)
  }

  #serving(name: string | null): Version | null {
    const version = name === null ? undefined : this.#plane.versions.get(name)
    return version?.serving === true ? version : null
  }

  #whyNotServing({ version, fallback }: Decision): string {
    return fallback === null ? `${version} is not serving` : `neither ${version} nor its fallback ${fallback} is serving`
  }

  #servedBy(): string | null {
    return this.#snapshot?.dynamic.servedBy === true ? (this.#version?.name ?? null) : null
  }

  /** Answered by baton, which is where the request was to end. */
  #answer({ status, reason, fields }: OwnAnswer): void {
    this.#status = status
    this.#inbound.respond(status, reason, fields, this.#lastOnConnection)
    this.#inbound.end(null)
    this.#finish(null)
  }

  /** Refused before it was inside the gate. */
  #refuse(fault: Fault): void {
    this.#plane.metrics.add('baton_refused_total', 1, fault.code)
    this.#end(fault)
  }

  #end(fault: Fault): void {
    const answer = faultAnswers[fault.code]
    if (this.#stage === 'answering' || this.#stage === 'tunnel' || answer.status === null) this.#inbound.abort(fault)
    else {
      this.#status = answer.status
      const body = bodyOf(fault)
      this.#inbound.respond(answer.status, answer.reason, faultFields(fault, body), answer.close || this.#lastOnConnection)
      if (this.#inbound.head.method !== 'HEAD') this.#inbound.write(body)
      this.#inbound.end(null)
    }
    this.#finish(fault)
  }

  #finish(fault: Fault | null): void {
    if (this.#stage === 'over') return
    const { gate, live } = this.#plane
    const wasInside = this.#stage !== 'queued'
    const outcome = fault !== null && !this.#countsAgainstVersion(fault) ? 'answered' : outcomeOf(this.#status, fault)
    this.#stage = 'over'
    const now = this.#plane.world.elapsed()
    this.#version?.settle(this, now, outcome)
    this.#count(fault, now - this.#beganAt)
    if (!wasInside) return
    gate.leave()
    if (gate.waiting > 0) gate.advance(live.current().dynamic.limits)
  }

  #count(fault: Fault | null, durationMs: number): void {
    const { metrics, accessLog, live } = this.#plane
    const { method, client, host, target } = this.#inbound.head
    const version = this.#version?.name ?? null
    const route = this.#decision?.route ?? null
    if (version !== null)
      metrics
        .series(version, route)
        .ended(method, this.#status, this.#tunnel === null ? durationMs : -1, this.#receivedBytes, this.#sentBytes)
    if (fault !== null) metrics.add('baton_faults_total', 1, version ?? '-', fault.code)
    const settings = (this.#snapshot ?? live.current()).dynamic.accessLog
    if (settings.is === 'off' || !accessLog.wants(settings)) return
    const [status, receivedBytes, sentBytes, attempts] = [this.#status, this.#receivedBytes, this.#sentBytes, this.#attempts]
    const code = fault?.code ?? null
    accessLog.add({ client, method, host, target, status, version, route, durationMs, receivedBytes, sentBytes, attempts, fault: code })
  }
}
