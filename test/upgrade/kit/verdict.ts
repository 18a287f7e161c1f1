/** What a load says of the promises: what failed, was cut, came twice, was never written down. */
import assert from 'node:assert/strict'
import type { StreamEnd } from './event-streams.ts'
import type { Exchange } from './exchange.ts'
import { type Fact, ordersIn } from './record.ts'
import type { Heard, TrafficReport } from './traffic.ts'
import type { SocketEnd } from './web-sockets.ts'

export interface Verdict {
  readonly sent: number
  readonly answered: number
  readonly failed: readonly Exchange[]
  readonly cut: readonly Exchange[]
  /** Ids that the app wrote down more than once. */
  readonly doubled: readonly string[]
  /** Ids whose POST was answered, and that the app never wrote down. */
  readonly missing: readonly string[]
  readonly streamsCut: readonly StreamEnd[]
  readonly socketsCut: readonly SocketEnd[]
  readonly heard: Heard
  readonly wrongEchoes: readonly string[]
}

export type Lost = Exchange | StreamEnd | SocketEnd

/** RFC 6455 section 7.4.1 and the registry: service restart, going away. */
const politeCodes: readonly number[] = [1012, 1001]

export function verdictOf({ sent, exchanges, streamEnds, socketEnds, heard, wrongEchoes }: TrafficReport, facts: readonly Fact[]): Verdict {
  const orders = ordersIn(facts)
  const ok = exchanges.filter(({ outcome }) => outcome.is === 'ok')
  return {
    sent,
    answered: ok.length,
    failed: exchanges.filter(({ outcome }) => outcome.is === 'failed'),
    cut: exchanges.filter(({ outcome }) => outcome.is === 'cut'),
    doubled: [...orders].filter(([, times]) => times > 1).map(([id]) => id),
    missing: ok.filter(({ kind, id }) => kind === 'post' && !orders.has(id)).map(({ id }) => id),
    streamsCut: streamEnds.filter(({ is }) => is !== 'boundary'),
    socketsCut: socketEnds.filter(({ code }) => !politeCodes.includes(code)),
    heard,
    wrongEchoes,
  }
}

/** All that DESIGN.md section 12 promises where nothing was killed. */
export function assertKept(verdict: Verdict): void {
  assert.deepEqual(shown(verdict), nothing)
  assert.equal(verdict.answered, verdict.sent, 'answered, of those sent')
  assertHeard(verdict)
}

/** A load of which nothing came through breaks no promise, and proves none. */
function assertHeard({ answered, heard: { events, echoes } }: Verdict): void {
  assert.ok(answered > 0, 'no request was answered')
  assert.ok(events === null || events > 0, 'no event came over any stream')
  assert.ok(echoes === null || echoes > 0, 'no echo came over any WebSocket')
}

/** All of it, but for what `excused` says of what was lost to a kill; returns how many that were. */
export function assertKeptBut(verdict: Verdict, excused: (lost: Lost) => boolean): number {
  const { failed, cut, streamsCut, socketsCut } = verdict
  const but = <T extends Lost>(lost: readonly T[]) => lost.filter((each) => !excused(each))
  const rest = { ...verdict, failed: but(failed), cut: but(cut), streamsCut: but(streamsCut), socketsCut: but(socketsCut) }
  assert.deepEqual(shown(rest), nothing)
  assertHeard(verdict)
  return [failed, cut, streamsCut, socketsCut].flat().length
}

/** For `assertKeptBut`: it was under way over a connection that the dead process had accepted. */
export function isLostWith(diedAt: number): (lost: Lost) => boolean {
  return (lost) => {
    const why = whyOf(lost)
    const isReset = ['ECONNRESET', 'EPIPE', 'ECONNABORTED'].includes(why) || !('outcome' in lost)
    return lost.connectedAt <= diedAt && isReset && why !== 'ECONNREFUSED'
  }
}

/** For `assertKeptBut`: baton was asked to stop while it was held. */
export function isSentAway(lost: Lost): boolean {
  return /^503 |response: 503$/.test(whyOf(lost))
}

/** For `assertKeptBut`: it came while nobody listened. */
export function isRefusedBetween(diedAt: number, backAt: number): (lost: Lost) => boolean {
  return (lost) => whyOf(lost) === 'ECONNREFUSED' && lost.connectedAt >= diedAt && lost.connectedAt <= backAt
}

/** For `assertKeptBut`, as section 12 says of kill -9 of a version: it was sent to it and cannot be sent twice. */
export function isLostAt(version: string): (lost: Lost) => boolean {
  return (lost) => ('outcome' in lost ? lost.kind === 'post' && /^502 /.test(whyOf(lost)) : lost.version === version)
}

/** For `assertKeptBut`: it came before `at` (`performance.now()`), when the version that it was for did not serve and nobody stood in. */
export function isRefusedBefore(at: number): (lost: Lost) => boolean {
  return (lost) => {
    const cameAt = 'dueAt' in lost ? lost.dueAt : lost.connectedAt
    return cameAt <= at && /^50[23] (not-serving|connect-failed|upstream-reset)|response: 50[23]$/.test(whyOf(lost))
  }
}

/** The reason of an exchange, a stream, a socket alike. */
export function whyOf(lost: Lost): string {
  if (!('outcome' in lost)) return lost.why
  return lost.outcome.is === 'ok' ? '' : lost.outcome.why
}

interface Shown {
  readonly failed: Readonly<Record<string, number>>
  readonly cut: Readonly<Record<string, number>>
  readonly doubled: readonly string[]
  readonly missing: readonly string[]
  readonly streamsCut: readonly string[]
  readonly socketsCut: readonly string[]
  readonly wrongEchoes: readonly string[]
}

const nothing: Shown = { failed: {}, cut: {}, doubled: [], missing: [], streamsCut: [], socketsCut: [], wrongEchoes: [] }

/** What is read when it fails: reasons and how often, not thousands of exchanges. */
function shown(verdict: Verdict): Shown {
  const { failed, cut, doubled, missing, streamsCut, socketsCut, wrongEchoes } = verdict
  const of = (exchanges: readonly Exchange[]) =>
    counted(exchanges.map(({ kind, outcome }) => `${kind} ${'why' in outcome ? outcome.why : ''}`))
  return {
    failed: of(failed),
    cut: of(cut),
    doubled,
    missing,
    streamsCut: streamsCut.map(({ is, version, why }) => `${version} ${is} ${why}`),
    socketsCut: socketsCut.map(({ code, version, why }) => `${version} ${code} ${why}`),
    wrongEchoes,
  }
}

function counted(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}
