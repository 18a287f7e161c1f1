/** The names that the sources of a warm-up give, in pieces: each once, as the key to fetch, and only of keys that are cached. */
import { errorMessage } from '../../errors.ts'
import { pause, type World } from '../../world.ts'
import type { Name } from '../entry.ts'
import { renamed } from './rename.ts'
import type { Rename } from './settings.ts'
import type { NameSource } from './sources/name-source.ts'
import { lookForLiveMs, untilLive, type WarmTracker } from './warm-tracker.ts'

export interface NamingParts {
  readonly world: Pick<World, 'after'>
  readonly tracker: WarmTracker
  readonly sources: readonly NameSource[]
  readonly rename: readonly Rename[]
  isCached(name: Name): boolean
  /** Nothing more is to be named. */
  isOver(): boolean
}

export interface Piece {
  readonly source: string
  /** That no piece before had. */
  readonly names: readonly Name[]
}

/** What sources name beyond it is not taken: a hundred megabytes. */
const maxNames = 1_000_000

/** In one turn of the event loop. */
const atOnce = 1_000

export class Naming {
  /** In the order in which they were named. */
  readonly names = new Set<Name>()
  /** Of sources that could not be used. */
  readonly faults: string[] = []
  /** Every source gave all that it has. */
  isDone = false
  readonly #parts: NamingParts

  constructor(parts: NamingParts) {
    this.#parts = parts
  }

  async *pieces(): AsyncGenerator<Piece, void> {
    for (const source of this.#parts.sources) yield* this.#piecesOf(source)
    this.isDone = !this.#parts.isOver() && this.faults.length === 0 && this.names.size < maxNames
  }

  /** From its beginning again, if the session was lost on the way: what it names twice counts once. */
  async *#piecesOf(source: NameSource): AsyncGenerator<Piece, void> {
    const { tracker, world, isOver } = this.#parts
    while (!isOver()) {
      await untilLive(tracker, world, isOver)
      const { flushes } = tracker.counts
      try {
        for await (const names of source.names()) yield { source: source.is, names: await this.#take(names) }
        return
      } catch (error) {
        // the reads of a lost session may fail before the tracker has heard of it
        await pause(world, lookForLiveMs)
        if (!tracker.live || tracker.counts.flushes !== flushes) continue
        this.faults.push(`${source.is}: ${errorMessage(error)}`)
        return
      }
    }
  }

  /** A view names a hundred thousand at once, and baton has other work. */
  async #take(named: readonly Name[]): Promise<Name[]> {
    const { rename, isCached, world } = this.#parts
    const taken: Name[] = []
    for (const [at, each] of named.entries()) {
      if (at % atOnce === atOnce - 1) await pause(world, 0)
      const name = renamed(each, rename)
      if (this.names.has(name) || this.names.size >= maxNames || !isCached(name)) continue
      this.names.add(name)
      taken.push(name)
    }
    return taken
  }
}
