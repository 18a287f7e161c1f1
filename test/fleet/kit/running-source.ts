/** What of an instance follows the configuration in etcd, by itself: no data plane, and everything that it applied written down. */
import { EtcdSource } from '../../../src/config/etcd/etcd-source.ts'
import { EtcdGateway } from '../../../src/config/etcd/gateway.ts'
import { configKeyOf } from '../../../src/config/etcd/keys.ts'
import { realWorld } from '../../../src/world.ts'
import { liveWith } from '../../config/live-fixture.ts'
import { fileOf } from './numbered.ts'

/** A configuration, and the revision of etcd at which it was written. */
export interface Numbered {
  readonly revision: number
  readonly text: string
}

export interface RunningSource extends AsyncDisposable {
  readonly applied: readonly Numbered[]
  readonly warnings: readonly string[]
}

/** Sooner than baton's own, so that a test need not wait for them. */
export const hasty = { connectMs: 500, answerMs: 1_000 } as const

/** `readMs`: between two reads for truth. */
export function startSource(endpoints: readonly string[], prefix: string, readMs: number): RunningSource {
  const applied: Numbered[] = []
  const warnings: string[] = []
  const { live } = liveWith(fileOf(endpoints, prefix))
  live.follow(() => {
    const { remote } = live
    if (remote !== null) applied.push({ revision: remote.revision, text: remote.text })
  })
  const store = new EtcdGateway({ endpoints, login: null, tls: null, timeouts: hasty }, realWorld)
  const warn = (message: string, why: unknown): void => void warnings.push(`${message}: ${why}`)
  const source = new EtcdSource({ store, key: configKeyOf(prefix), live, world: realWorld, warn, readMs })
  source.start()
  return {
    applied,
    warnings,
    async [Symbol.asyncDispose]() {
      await source.stop()
      await store.close()
    },
  }
}
