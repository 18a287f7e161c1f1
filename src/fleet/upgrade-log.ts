/** The key of a fleet's upgrade: read, and moved only from what was read. */
import { upgradeKeyOf } from '../config/etcd/keys.ts'
import type { Store, Unchanged } from '../config/etcd/store.ts'
import { readShared, type SharedUpgrade, writeShared } from './shared-upgrade.ts'

export interface Found {
  readonly upgrade: SharedUpgrade | null
  /** Of the key; 0 is that there is none. */
  readonly revision: number
  /** There is something that this build does not understand. */
  readonly isForeign: boolean
}

export async function readUpgrade(store: Pick<Store, 'get'>, prefix: string): Promise<Found> {
  const { entry } = await store.get(upgradeKeyOf(prefix))
  const upgrade = entry === null ? null : readShared(entry.value)
  return { upgrade, revision: entry?.revision ?? 0, isForeign: entry !== null && upgrade === null }
}

/** False when somebody else was first, or one of `also` is not any more what it was. */
export async function moveUpgrade(
  store: Pick<Store, 'commit'>,
  prefix: string,
  next: SharedUpgrade,
  revision: number,
  also: readonly Unchanged[] = [],
): Promise<boolean> {
  const key = upgradeKeyOf(prefix)
  const { done } = await store.commit([{ key, revision }, ...also], [{ is: 'put', key, value: writeShared(next) }])
  return done
}
