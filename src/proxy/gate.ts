/**
 * Who may begin. The gate admits, queues or refuses; a request that waits holds no snapshot and no claim, so that a swap or a drain never
 * has to think of it. Bounded in number and in time, oldest first.
 */
import type { LimitSettings } from '../config/settings.ts'
import { Fault } from '../errors.ts'

export interface Waiter {
  /** Its place among `limits.exchanges` is taken; it leaves the gate by `Gate.leave`. */
  admitted(): void
  refused(fault: Fault): void
}

type GateLimits = Pick<LimitSettings, 'exchanges' | 'queue' | 'queueTimeoutMs'>

export class Gate {
  readonly #waiting = new Map<Waiter, number>()
  #inside = 0
  #advancing = false
  #hold: 'none' | 'held' | 'releasing' = 'none'

  get inside(): number {
    return this.#inside
  }
  get waiting(): number {
    return this.#waiting.size
  }

  get held(): boolean {
    return this.#hold !== 'none'
  }

  /** From now nobody begins: requests wait, bounded as ever. Those under way go on. */
  hold(): void {
    this.#hold = 'held'
  }

  /** Ends the hold; who waits is let in by `seep`, and the hold is over when nobody waits. */
  release(): void {
    if (this.#hold === 'held') this.#hold = 'releasing'
  }

  /** After `release`: lets in at most `most` of those who wait, so that the app does not meet all of them in one instant. */
  seep(limits: GateLimits, most: number): void {
    if (this.#hold !== 'releasing') return
    this.#admit(limits, most)
    if (this.#waiting.size === 0) this.#hold = 'none'
  }

  /** Calls `admitted` or `refused`, now or later. */
  enter(waiter: Waiter, limits: GateLimits, now: number): void {
    if (this.#inside < limits.exchanges && this.#hold === 'none' && this.#waiting.size === 0) {
      this.#inside += 1
      waiter.admitted()
    } else if (this.#waiting.size < limits.queue) {
      this.#waiting.set(waiter, now + limits.queueTimeoutMs)
    } else {
      waiter.refused(new Fault('limit-reached', `${limits.exchanges} exchanges under way and ${limits.queue} waiting`))
    }
  }

  /** An admitted one has ended. */
  leave(): void {
    this.#inside -= 1
  }

  /** It has gone while it waited. False: it was not waiting. */
  forget(waiter: Waiter): boolean {
    return this.#waiting.delete(waiter)
  }

  /** Lets in who has a place now; called after `leave`, and when the limits have changed. */
  advance(limits: GateLimits): void {
    if (this.#hold === 'none') this.#admit(limits, Number.POSITIVE_INFINITY)
  }

  #admit(limits: GateLimits, most: number): void {
    // one that ends as it is let in (its version does not serve) comes back here: the walk goes on below, not deeper
    if (this.#advancing) return
    this.#advancing = true
    let places = most
    try {
      for (const waiter of this.#waiting.keys()) {
        if (this.#inside >= limits.exchanges || places < 1) return
        places -= 1
        this.#waiting.delete(waiter)
        this.#inside += 1
        waiter.admitted()
      }
    } finally {
      this.#advancing = false
    }
  }

  /** Refuses who has waited too long. */
  expire(now: number): void {
    for (const [waiter, deadline] of this.#waiting) {
      // those behind may have come under a shorter queueTimeout
      if (deadline > now) continue
      this.#waiting.delete(waiter)
      waiter.refused(new Fault('queue-timeout', 'no place among limits.exchanges in time'))
    }
  }
}
