/** An instance of a fleet in this process: it follows etcd, tells of itself, keeps its files, and serves. Only the keeper is missing. */
import { configRecorder } from '../../../src/config/config-metrics.ts'
import { EtcdGateway } from '../../../src/config/etcd/gateway.ts'
import { LastGoodFile } from '../../../src/config/last-good.ts'
import { LiveConfig } from '../../../src/config/live.ts'
import { StateFile } from '../../../src/config/state-file.ts'
import { Fleet } from '../../../src/fleet/fleet.ts'
import { realWorld } from '../../../src/world.ts'
import { options } from '../../config/fixture.ts'
import { runPlane } from '../../kit/data-plane.ts'
import { noUpgrade } from '../fixture.ts'
import { fileOf, numberedFor } from './numbered.ts'

export interface Place {
  readonly endpoints: readonly string[]
  readonly prefix: string
  readonly name: string
  /** On 127.0.0.1; it is told the number as `x-number`. */
  readonly appPort: number
  /** For the files. */
  readonly folder: string
}

export interface Instance extends AsyncDisposable {
  readonly port: number
  /** Of etcd, that it runs. */
  readonly revision: number
  /** Configurations that it swapped in. */
  readonly swaps: number
}

export async function startInstance({ endpoints, prefix, name, appPort, folder }: Place): Promise<Instance> {
  const warn = (message: string, why: unknown): void => console.error(`${name}: ${message}: ${why}`)
  const plane = await runPlane(realWorld, numberedFor(appPort, 0))
  const recorder = configRecorder(plane.metrics)
  const state = await StateFile.open(folder, warn)
  const lastGood = new LastGoodFile(folder, warn)
  const first = fileOf(endpoints, prefix, name, appPort)
  const live = new LiveConfig(first, { options, world: realWorld, recorder, state, lastGood, warn })
  let swaps = 0
  live.follow((snapshot) => {
    swaps += 1
    plane.take(snapshot)
  })
  const store = new EtcdGateway({ endpoints, login: null, tls: null }, realWorld)
  const { config: settings } = first.config.bootstrap
  if (settings === null) throw new Error('the file names no etcd')
  const self = () => ({ build: 'test', startedAt: 0, whyNotReady: null })
  const fleet = new Fleet({ store, settings, live, world: realWorld, warn, onOutcome: () => undefined, self, own: noUpgrade })
  fleet.start()
  return {
    port: plane.port,
    get revision() {
      return live.remote?.revision ?? 0
    },
    get swaps() {
      return swaps
    },
    async [Symbol.asyncDispose]() {
      await fleet.stop()
      await plane[Symbol.asyncDispose]()
      await lastGood.close()
      await state.close()
    },
  }
}
