/** The gate against a model: two lists and three numbers, and whatever order things happen in. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Fault, FaultCode } from '../../src/errors.ts'
import { Gate, type Waiter } from '../../src/proxy/gate.ts'

class Guest implements Waiter {
  readonly name: number
  readonly #then: (guest: Guest) => void
  fate: 'waits' | 'inside' | FaultCode = 'waits'

  constructor(name: number, then: (guest: Guest) => void = () => {}) {
    this.name = name
    this.#then = then
  }

  admitted(): void {
    assert.equal(this.fate, 'waits', `guest ${this.name} is told once`)
    this.fate = 'inside'
    this.#then(this)
  }

  refused(fault: Fault): void {
    assert.equal(this.fate, 'waits', `guest ${this.name} is told once`)
    this.fate = fault.code
  }
}

const limits = { exchanges: 2, queue: 2, queueTimeoutMs: 100 }

function entered(gate: Gate, count: number, now = 0): Guest[] {
  const guests = Array.from({ length: count }, (_, name) => new Guest(name))
  for (const guest of guests) gate.enter(guest, limits, now)
  return guests
}

const fates = (guests: readonly Guest[]) => guests.map(({ fate }) => fate)

describe('the gate', () => {
  test('admits up to the limit, queues up to the queue, and refuses what is above both', () => {
    const gate = new Gate()
    assert.deepEqual(fates(entered(gate, 5)), ['inside', 'inside', 'waits', 'waits', 'limit-reached'])
    assert.deepEqual([gate.inside, gate.waiting], [2, 2])
  })

  test('lets in the oldest when one leaves', () => {
    const gate = new Gate()
    const guests = entered(gate, 4)
    gate.leave()
    gate.advance(limits)
    assert.deepEqual(fates(guests), ['inside', 'inside', 'inside', 'waits'])
  })

  test('forgets one that waits, and says whether it did', () => {
    const gate = new Gate()
    const guests = entered(gate, 3)
    assert.deepEqual(
      guests.map((guest) => gate.forget(guest)),
      [false, false, true],
    )
    gate.leave()
    gate.advance(limits)
    assert.equal(guests[2]?.fate, 'waits')
  })

  test('refuses one that has waited for its time, not before and not after', () => {
    const gate = new Gate()
    const guests = entered(gate, 3)
    gate.expire(99)
    assert.equal(guests[2]?.fate, 'waits')
    gate.expire(100)
    assert.equal(guests[2]?.fate, 'queue-timeout')
  })

  test('a shorter queueTimeout that was swapped in holds for those behind who came under the longer one', () => {
    const gate = new Gate()
    entered(gate, 2)
    const [patient, hasty] = [new Guest(1), new Guest(2)]
    gate.enter(patient, { ...limits, queueTimeoutMs: 10_000 }, 0)
    gate.enter(hasty, limits, 0)
    gate.expire(100)
    assert.deepEqual(fates([patient, hasty]), ['waits', 'queue-timeout'])
  })

  test('raised limits let in as many as they allow', () => {
    const gate = new Gate()
    const guests = entered(gate, 4)
    gate.advance({ ...limits, exchanges: 3 })
    assert.deepEqual(fates(guests), ['inside', 'inside', 'inside', 'waits'])
  })

  test('a queue whose guests all leave at once as they are let in empties without a deep stack', () => {
    const gate = new Gate()
    const wide = { exchanges: 1, queue: 100_000, queueTimeoutMs: 100 }
    gate.enter(new Guest(-1), wide, 0)
    const leaves = () => {
      gate.leave()
      gate.advance(wide)
    }
    const guests = Array.from({ length: wide.queue }, (_, name) => new Guest(name, leaves))
    for (const guest of guests) gate.enter(guest, wide, 0)
    leaves()
    assert.deepEqual([gate.inside, gate.waiting], [0, 0])
    assert.ok(guests.every(({ fate }) => fate === 'inside'))
  })
})

type Happening =
  | { readonly is: 'enter'; readonly leavesAtOnce: boolean }
  | { readonly is: 'leave' }
  | { readonly is: 'forget'; readonly which: number }
  | { readonly is: 'pass'; readonly ms: number }
  | { readonly is: 'limits'; readonly exchanges: number; readonly queue: number; readonly queueTimeoutMs: number }

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ is: fc.constant('enter' as const), leavesAtOnce: fc.boolean() }) },
  { weight: 3, arbitrary: fc.constant({ is: 'leave' as const }) },
  fc.record({ is: fc.constant('forget' as const), which: fc.nat(20) }),
  fc.record({ is: fc.constant('pass' as const), ms: fc.nat(80) }),
  fc.record({
    is: fc.constant('limits' as const),
    exchanges: fc.integer({ min: 1, max: 4 }),
    queue: fc.nat(4),
    queueTimeoutMs: fc.nat(150),
  }),
)

/** What the gate promises, in its simplest form. `inside` are those that have not left. */
class Model {
  limits = { ...limits }
  now = 0
  waiting: { readonly name: number; readonly until: number }[] = []
  inside: number[] = []
  fates = new Map<number, string>()

  enter(name: number, leavesAtOnce: boolean): void {
    if (this.inside.length < this.limits.exchanges) this.#admit(name, leavesAtOnce)
    else if (this.waiting.length < this.limits.queue) this.waiting.push({ name, until: this.now + this.limits.queueTimeoutMs })
    else this.fates.set(name, 'limit-reached')
  }

  leave(stays: (name: number) => boolean): void {
    this.inside.shift()
    this.settle(stays)
  }

  settle(stays: (name: number) => boolean): void {
    while (this.inside.length < this.limits.exchanges) {
      const next = this.waiting.shift()
      if (next === undefined) return
      this.#admit(next.name, !stays(next.name))
    }
  }

  expire(): void {
    for (const { name } of this.waiting.filter(({ until }) => until <= this.now)) this.fates.set(name, 'queue-timeout')
    this.waiting = this.waiting.filter(({ until }) => until > this.now)
  }

  #admit(name: number, leavesAtOnce: boolean): void {
    this.fates.set(name, 'inside')
    if (!leavesAtOnce) this.inside.push(name)
  }
}

test('whatever happens in whatever order, the gate and its model agree: nobody is lost, nobody overtakes, never above the limit', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60, size: 'max' }), (happenings) => {
      const gate = new Gate()
      const model = new Model()
      const guests: Guest[] = []
      const leaving = new Set<number>()
      const stays = (name: number) => !leaving.has(name)
      const leave = () => {
        gate.leave()
        gate.advance(model.limits)
      }
      for (const each of happenings) {
        if (each.is === 'enter') {
          const guest = new Guest(guests.length, () => each.leavesAtOnce && leave())
          guests.push(guest)
          if (each.leavesAtOnce) leaving.add(guest.name)
          gate.enter(guest, model.limits, model.now)
          model.enter(guest.name, each.leavesAtOnce)
        } else if (each.is === 'leave' && model.inside.length > 0) {
          leave()
          model.leave(stays)
        } else if (each.is === 'forget') {
          const guest = guests[each.which]
          if (guest === undefined) continue
          const waits = model.waiting.some(({ name }) => name === guest.name)
          assert.equal(gate.forget(guest), waits)
          model.waiting = model.waiting.filter(({ name }) => name !== guest.name)
        } else if (each.is === 'pass') {
          model.now += each.ms
          gate.expire(model.now)
          model.expire()
        } else if (each.is === 'limits') {
          model.limits = each
          gate.advance(model.limits)
          model.settle(stays)
        }
        assert.deepEqual([gate.inside, gate.waiting], [model.inside.length, model.waiting.length])
        for (const guest of guests) assert.equal(guest.fate, model.fates.get(guest.name) ?? 'waits', `guest ${guest.name}`)
      }
    }),
    { numRuns: 1_000, seed: 3 },
  )
})
