/** What another version's view can answer with, the one used last first. */
import type { World } from '../../../world.ts'
import type { View } from '../../view.ts'
import type { NameSource } from './name-source.ts'

export function otherVersion(views: readonly Pick<View, 'names' | 'peek'>[], world: Pick<World, 'elapsed'>): NameSource {
  return {
    is: 'other-version',
    async *names() {
      const now = world.elapsed()
      // whole: a view that is used cannot be walked with pauses
      for (const view of views) yield [...view.names()].filter((name) => (view.peek(name)?.deadline ?? 0) > now)
    },
  }
}
