/** What the instances read most. */
import type { HotList } from '../hot-list.ts'
import type { NameSource } from './name-source.ts'

export function hotNames(list: () => Promise<HotList>): NameSource {
  return {
    is: 'hot-names',
    async *names() {
      yield (await list()).names.map(({ name }) => name)
    },
  }
}
