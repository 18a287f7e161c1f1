import type { Remote } from '../last-good.ts'
import { nameOf } from './keys.ts'
import type { KeyValue, StoreHeader } from './store.ts'

/** The configuration as etcd holds it. */
export function remoteOf(header: StoreHeader, { key, value, revision }: KeyValue): Remote {
  return { text: value, name: nameOf(key), revision, cluster: header.cluster }
}
