/**
 * The app's half of the contract (docs/reference/push.md), without its HTTP.
 *
 * - It takes `seq` + 1 of its epoch, built for this very instance; a repeat has the same answer; anything else ends the epoch, and `seq` 1
 *   of the next one is what it takes then. So at any time there is one batch that it would take, built after its last answer was sent.
 * - Hence the time: what a batch says counts from the sending of that answer, which was before the batch was built. The lease ends not
 *   later than it should, and a key not later than in Redis, however long the batch was on its way.
 * - The lease: what is held is used until it ends, which a batch prolongs that left nothing owed.
 */
import type { World } from '../../world.ts'
import { type Answer, limits, type WireBytes } from '../push/wire.ts'
import { type Batch, batchOf, type ReceivedOp } from './batch.ts'
import { Fences } from './fences.ts'
import { HeldMap, type MapSize, type Payload } from './map.ts'
import { type Name, wireOf } from './name.ts'

/** Of an answer, for the names in it. */
const namesBytes = limits.answerBytes / 4

export class Receiver {
  readonly #instance: string
  readonly #world: Pick<World, 'elapsed'>
  readonly #map: HeldMap
  readonly #fences = new Fences()
  readonly #missed = new Set<Name>()
  readonly #hit = new Set<Name>()
  #epoch = 0
  #seq = 0
  /** Given again to a repeat. */
  #answer: string | null = null
  #answeredAt = Number.NEGATIVE_INFINITY
  #leaseEnd = Number.NEGATIVE_INFINITY

  constructor(size: MapSize, instance: string, world: Pick<World, 'elapsed'>) {
    this.#map = new HeldMap(size)
    this.#instance = instance
    this.#world = world
  }

  /** Undefined: not known, or not any more. */
  look(name: Name): Payload | undefined {
    const now = this.#world.elapsed()
    const held = this.#map.get(name)
    if (held === undefined || now >= held.deadline) {
      if (this.#missed.size < limits.names) this.#missed.add(name)
      return undefined
    }
    // what is held need not be asked for: the lease is what is wanting
    if (!this.isLeased(now)) return undefined
    if (this.#hit.size < limits.names) this.#hit.add(name)
    return held.payload
  }

  isLeased(now: number): boolean {
    return now < this.#leaseEnd
  }

  /** An own write begins; the fence that its end is told with. */
  begin(names: readonly Name[]): number {
    const fence = this.#fences.begin(names, (name) => this.#map.delete(name))
    if (this.#fences.overflows()) {
      this.#map.clear()
      this.#restart()
    }
    return fence
  }

  end(fence: number): void {
    this.#fences.end(fence)
  }

  /** The answer to a batch, to be sent at once. */
  receive(body: Buffer): string {
    const batch = batchOf(body)
    if (batch === null) return this.#resync('malformed')
    const { instance, epoch, seq, fence } = batch.header
    if (instance !== this.#instance) return this.#resync('instance')
    if (epoch === this.#epoch && seq === this.#seq && this.#answer !== null) return this.#answer
    if (epoch !== this.#epoch || seq !== this.#seq + 1) return this.#resync('sequence')
    if (fence < this.#fences.floor) return this.#resync('fence')
    this.#take(batch)
    return this.#answered({ v: 1, instance, epoch, seq, fence: this.#fences.returned, ...this.#names() })
  }

  /** Keys in the map, whatever their age. */
  get size(): number {
    return this.#map.size
  }

  #take({ header, ops }: Batch): void {
    this.#seq = header.seq
    this.#fences.lift(header.fence)
    for (const op of ops) this.#apply(op, header.fence)
    if (header.leaseMs > 0) this.#leaseEnd = this.#answeredAt + header.leaseMs
  }

  #apply(op: ReceivedOp, fence: number): void {
    if (op.is === 'clear') this.#map.clear()
    else if (op.is === 'delete') this.#map.delete(op.name)
    else if (!this.#fences.refuses(op.name, fence)) this.#map.set(op.name, { payload: op.payload, deadline: this.#answeredAt + op.ttlMs })
  }

  #resync(reason: string): string {
    this.#restart()
    return this.#answered({
      v: 1,
      instance: this.#instance,
      epoch: this.#epoch,
      seq: 0,
      fence: this.#fences.returned,
      resync: reason,
    })
  }

  /** No batch that is under way is taken any more. */
  #restart(): void {
    this.#epoch += 1
    this.#seq = 0
    this.#answer = null
  }

  #answered(answer: Answer): string {
    this.#answeredAt = this.#world.elapsed()
    const text = JSON.stringify(answer)
    // a greeting that is said twice begins twice
    this.#answer = answer.seq === 0 ? null : text
    return text
  }

  #names(): { want?: WireBytes[]; hit?: WireBytes[] } {
    const room = { bytes: namesBytes }
    const want = namesWithin(room, this.#wanted())
    const hit = namesWithin(room, this.#hit)
    this.#missed.clear()
    this.#hit.clear()
    return { ...(want.length > 0 && { want }), ...(hit.length > 0 && { hit }) }
  }

  *#wanted(): Generator<Name> {
    yield* this.#fences.takeLost(this.#fences.returned)
    yield* this.#missed
  }
}

function namesWithin(room: { bytes: number }, names: Iterable<Name>): WireBytes[] {
  const taken = new Set<Name>()
  for (const name of names) {
    if (taken.has(name)) continue
    room.bytes -= Buffer.byteLength(JSON.stringify(wireOf(name))) + 1
    if (room.bytes < 0 || taken.size === limits.names) break
    taken.add(name)
  }
  return [...taken].map(wireOf)
}
