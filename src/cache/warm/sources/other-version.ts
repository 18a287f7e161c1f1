/** What another version's view can answer with, the one used last first. */
import { pause, type World } from '../../../world.ts'
import type { Name } from '../../entry.ts'
import type { View } from '../../view.ts'
import type { NameSource } from './name-source.ts'

/** In one turn of the event loop. */
const atOnce = 1_000

export function otherVersion(views: readonly Pick<View, 'names' | 'peek'>[], world: Pick<World, 'elapsed' | 'after'>): NameSource {
  return {
    is: 'other-version',
    async *names() {
      for (const view of views) {
        // whole: a view that is used cannot be walked with pauses
        const names = [...view.names()]
        const fresh: Name[] = []
        for (const [at, name] of names.entries()) {
          if (at % atOnce === atOnce - 1) await pause(world, 0)
          if ((view.peek(name)?.deadline ?? 0) > world.elapsed()) fresh.push(name)
        }
        yield fresh
      }
    },
  }
}
