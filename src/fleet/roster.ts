/** The instances that live, as they tell of themselves. */
import { instancesPrefixOf } from '../config/etcd/keys.ts'
import type { Store, StoreHeader, Unchanged } from '../config/etcd/store.ts'
import { type InstanceRecord, readRecord } from './record.ts'

export interface Roster {
  /** By name. */
  readonly instances: readonly InstanceRecord[]
  /** Keys whose records this build does not understand. */
  readonly unknown: readonly string[]
  readonly header: StoreHeader
  /** Holds while no record has changed since, and none has come. */
  readonly unchanged: Unchanged
}

export async function readRoster(store: Pick<Store, 'list'>, prefix: string): Promise<Roster> {
  const { entries, header } = await store.list(instancesPrefixOf(prefix))
  const read = entries.map(({ key, value }) => ({ key, record: readRecord(value) }))
  return {
    instances: read.flatMap(({ record }) => (record === null ? [] : [record])),
    unknown: read.filter(({ record }) => record === null).map(({ key }) => key),
    header,
    unchanged: { prefix: instancesPrefixOf(prefix), since: header.revision },
  }
}
