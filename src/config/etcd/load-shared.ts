/** The configuration to start with, and the store where the bootstrap half names one. */
import type { World } from '../../world.ts'
import type { Warn } from '../coalesced-file.ts'
import type { Loaded } from '../config-file.ts'
import { readLastGood } from '../last-good.ts'
import { configKeyOf } from './keys.ts'
import { loadRemote } from './load-remote.ts'
import { openStore } from './open-store.ts'
import type { Store } from './store.ts'

/** The store is the caller's to close. @throws BatonError `start`, `denied` */
export async function loadShared(
  local: Loaded,
  world: World,
  warn: Warn,
): Promise<{ readonly loaded: Loaded; readonly store: Store | null }> {
  const { config: settings, state } = local.config.bootstrap
  if (settings === null) return { loaded: local, store: null }
  const store = await openStore(settings, world)
  try {
    const lastGood = await readLastGood(state, warn)
    return { loaded: await loadRemote({ local, store, key: configKeyOf(settings.prefix), lastGood, world, warn }), store }
  } catch (error) {
    await store.close()
    throw error
  }
}
