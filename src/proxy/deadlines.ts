/** When an exchange has taken too long, as a pure function: which deadline has passed, if any. */
import type { TimeoutSettings } from '../config/settings.ts'
import { Fault } from '../errors.ts'

/** Where an exchange stands, in times of one monotonic clock (ms). */
export interface Progress {
  readonly beganAt: number
  /** The last byte moved in either direction. */
  readonly activeAt: number
  /** The request's last byte went to the app; null while its body is still coming. Of a tunnel, see `clientEnded`. */
  readonly sentAt: number | null
  /** The client has closed its side, at `sentAt`. */
  readonly clientEnded: boolean
  readonly stage: 'calling' | 'answering' | 'tunnel'
  /** The client does not read, so the app was asked to pause. */
  readonly clientSlow: boolean
  /** The app does not read, so the client was asked to pause. */
  readonly appSlow: boolean
  /** An event stream may be silent for as long as it likes. */
  readonly isStream: boolean
}

type Timeouts = Pick<TimeoutSettings, 'headMs' | 'idleMs' | 'exchangeMs'>

export function overdue(progress: Progress, timeouts: Timeouts, now: number): Fault | null {
  const { stage, isStream } = progress
  if (stage === 'tunnel') return overdueTunnel(progress, timeouts, now)
  if (timeouts.exchangeMs > 0 && !isStream && now - progress.beganAt > timeouts.exchangeMs) {
    return new Fault('exchange-timeout', `not ended within ${timeouts.exchangeMs} ms`)
  }
  if (stage === 'calling' && progress.sentAt !== null) {
    return now - progress.sentAt > timeouts.headMs ? new Fault('head-timeout', `no response within ${timeouts.headMs} ms`) : null
  }
  if (now - progress.activeAt <= timeouts.idleMs) return null
  if (stage === 'calling') {
    if (progress.appSlow) return new Fault('idle-timeout', `the version took no byte of the body for ${timeouts.idleMs} ms`)
    return new Fault('client-timeout', `no byte of the body for ${timeouts.idleMs} ms`)
  }
  if (progress.clientSlow) return new Fault('client-timeout', `the client took no byte for ${timeouts.idleMs} ms`)
  return isStream ? null : new Fault('idle-timeout', `no byte of the response for ${timeouts.idleMs} ms`)
}

/** Open on both sides it may be silent for ever. With the client's side closed it is most often a client that has gone. */
function overdueTunnel({ clientEnded, activeAt, sentAt }: Progress, { idleMs }: Timeouts, now: number): Fault | null {
  if (!clientEnded || now - Math.max(activeAt, sentAt ?? 0) <= idleMs) return null
  return new Fault('client-gone', `the client closed the tunnel, and the version said nothing more for ${idleMs} ms`)
}

/** An exchange may also take too long because its client does: it is the version's failure only while its answer, or the rest of it, `isAwaited`. */
export function countsAgainstVersion({ blame, code }: Fault, isAwaited: boolean): boolean {
  return blame === 'upstream' && (code !== 'exchange-timeout' || isAwaited)
}
