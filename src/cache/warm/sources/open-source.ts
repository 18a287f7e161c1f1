import { BatonError } from '../../../errors.ts'
import type { World } from '../../../world.ts'
import type { View } from '../../view.ts'
import type { Aside } from '../ask.ts'
import type { HotList } from '../hot-list.ts'
import type { WarmSource } from '../settings.ts'
import { hotNames } from './hot.ts'
import type { NameSource } from './name-source.ts'
import { namesFile } from './names-file.ts'
import { otherVersion } from './other-version.ts'
import { scanned } from './scan.ts'

export interface Reach {
  readonly world: Pick<World, 'elapsed' | 'after'>
  readonly others: readonly Pick<View, 'names' | 'peek'>[]
  /** @throws where the names are not shared */
  hotList(): Promise<HotList>
  /** @throws while there is no session */
  session(): Aside
  /** Path; null: there is none. */
  readonly file: string | null
}

export function openSource(source: WarmSource, { world, others, hotList, session, file }: Reach): NameSource {
  switch (source.is) {
    case 'other-version':
      return otherVersion(others, world)
    case 'hot-names':
      return hotNames(hotList)
    case 'scan':
      return scanned(source.pattern, session)
    case 'file':
      if (file === null) throw new BatonError('config', 'a warm-up from a file of names, and no file is configured')
      return namesFile(file)
  }
}
