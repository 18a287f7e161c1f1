/** What another version's view holds, the one used last first. */
import type { View } from '../../view.ts'
import type { NameSource } from './name-source.ts'

export function otherVersion(views: readonly Pick<View, 'names'>[]): NameSource {
  return {
    is: 'other-version',
    async *names() {
      // whole: a view that is used cannot be walked with pauses
      for (const view of views) yield [...view.names()]
    },
  }
}
