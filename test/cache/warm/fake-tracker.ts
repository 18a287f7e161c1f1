/** A tracker whose reads the test answers: each name is kept unless `answer` says otherwise. SCAN finds `scanned`, three at a time. */
import { type Entry, keyOf, type Name } from '../../../src/cache/entry.ts'
import type { Reply, Session, Words } from '../../../src/cache/session.ts'
import type { Filled } from '../../../src/cache/tracker.ts'
import type { View } from '../../../src/cache/view.ts'
import type { WarmTracker } from '../../../src/cache/warm/warm-tracker.ts'

export class FakeTracker implements WarmTracker {
  live = true
  readonly counts = { flushes: 0 }
  scanned: readonly Name[] = []
  /** In the order in which they were read. */
  readonly reads: Name[] = []
  answer: (name: Name) => Filled | Promise<Filled> = () => 'kept'

  get session(): Session | null {
    if (!this.live) return null
    const refuse = () => Promise.reject(new Error('not asked for'))
    return { server, read: refuse, heard: refuse, close() {}, aside: async (commands) => commands.map((words) => this.#scan(words)) }
  }

  async filled(name: Name, _want: unknown, view: View): Promise<Filled> {
    this.reads.push(name)
    const filled = await this.answer(name)
    if (filled === 'kept') view.put(name, entryOf(name))
    return filled
  }

  #scan([command, cursor]: Words): Reply {
    if (command !== 'SCAN') return new Error(`ERR ${command}`)
    const from = Number(cursor)
    const next = from + 3 < this.scanned.length ? from + 3 : 0
    return [Buffer.from(String(next)), this.scanned.slice(from, from + 3).map(keyOf)]
  }

  /** As after FLUSHALL, or a lost session that is back already. */
  flush(...views: readonly View[]): void {
    this.counts.flushes += 1
    for (const view of views) view.clear()
  }
}

const server = { version: '7.4.0', runId: '', address: '', user: 'default', evictionPolicy: null, commands: null }

export function entryOf(name: Name, { deadline = Number.POSITIVE_INFINITY, bytes = 1_000 } = {}): Entry {
  return { payload: { is: 'string', value: Buffer.from(`value of ${name}`) }, readAt: 0, expiresAt: deadline, deadline, bytes }
}
