/** A fleet that follows puts while each of its instances is asked all the time: real `baton run` processes, and planes that share one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EtcdGateway } from '../../../src/config/etcd/gateway.ts'
import { configKeyOf } from '../../../src/config/etcd/keys.ts'
import type { Store } from '../../../src/config/etcd/store.ts'
import { ConfigLog } from '../../../src/fleet/config-log.ts'
import type { InstanceRecord } from '../../../src/fleet/record.ts'
import { realWorld } from '../../../src/world.ts'
import { runBaton, startBaton } from '../../kit/baton.ts'
import { startEtcd } from '../../kit/etcd.ts'
import type { LoadReport } from '../../kit/load.ts'
import { until } from '../../kit/until.ts'
import { type Asker, startAsker } from './asker.ts'
import { startNumberApp } from './number-app.ts'
import { numberedFor } from './numbered.ts'
import { startPlanes } from './planes.ts'

export interface FleetRun {
  /** `baton run` processes. */
  readonly processes: number
  /** Instances in one process. */
  readonly planes: number
  readonly puts: number
  /** From one put to the next. */
  readonly gapMs: number
  /** Between an answer and the next request, of each instance. */
  readonly pauseMs: number
}

export interface FleetReport {
  /** Of each put and instance: from sending the transaction to the first answer under it, or under a later one. */
  readonly effectMs: readonly number[]
  /** One for each instance. */
  readonly loads: readonly LoadReport[]
  /** Of the last put. */
  readonly revision: number
  /** What `baton fleet --json` says when all is done. */
  readonly instances: readonly InstanceRecord[]
}

const prefix = '/shop'

/** Ends with an error where an instance does not come to the last put within 20 s. */
export async function runFleet({ processes, planes, puts, gapMs, pauseMs }: FleetRun): Promise<FleetReport> {
  await using stack = new AsyncDisposableStack()
  const etcd = stack.use(await startEtcd())
  const app = stack.use(await startNumberApp())
  const { log, sentAt, store } = openLog(etcd.urls)
  stack.defer(() => store.close())
  await write(log, app.port, 1)
  const place = { endpoints: etcd.urls, prefix, appPort: app.port }
  const batons = await Promise.all(Array.from({ length: processes }, (_, index) => startReal(etcd.urls, app.port, index)))
  for (const baton of batons) stack.use(baton)
  await Promise.all(batons.map((baton) => baton.ready()))
  const inOne = planes === 0 ? [] : stack.use(await startPlanes({ ...place, count: planes })).ports
  const askers = [...batons.map(({ publicPort }) => publicPort), ...inOne].map((port) => stack.use(startAsker(port, pauseMs)))
  await allSee(askers, 1)
  let revision = 0
  for (let number = 2; number <= puts + 1; number++) {
    const [written] = await Promise.all([write(log, app.port, number), sleep(gapMs)])
    revision = written
  }
  await allSee(askers, puts + 1)
  const loads = await Promise.all(askers.map((asker) => asker.stop()))
  const instances = await fleetSays(etcd.urls, (all) => all.every((instance) => instance.revision === revision))
  const effectOf = (asker: Asker) => sentAt.slice(1).map((at, index) => (asker.seenAt(index + 2) ?? Number.NaN) - at)
  return { effectMs: askers.flatMap(effectOf), loads, revision, instances }
}

function startReal(endpoints: readonly string[], appPort: number, index: number) {
  const bootstrap = { config: { etcd: { endpoints, prefix, instance: `baton-${index + 1}` } } }
  return startBaton({ config: { bootstrap, ...numberedFor(appPort, 0) } })
}

/** The log that `baton config put` writes, and when each put set out. */
function openLog(endpoints: readonly string[]) {
  const sentAt: number[] = []
  const store: Store = new EtcdGateway({ endpoints, login: null, tls: null }, realWorld)
  const timed: Pick<Store, 'get' | 'list' | 'commit'> = {
    get: (key) => store.get(key),
    list: (from, options) => store.list(from, options),
    commit(unchanged, writes) {
      if (writes.some(({ key }) => key === configKeyOf(prefix))) sentAt.push(performance.now())
      return store.commit(unchanged, writes)
    },
  }
  return { log: new ConfigLog(timed, prefix), sentAt, store }
}

async function write(log: ConfigLog, appPort: number, number: number): Promise<number> {
  const written = await log.write(JSON.stringify(numberedFor(appPort, number)), { at: realWorld.now(), by: 'the writer' }, null)
  if (written.is !== 'written') throw new Error(`number ${number}: ${written.is}`)
  return written.revision
}

async function allSee(askers: readonly Asker[], number: number): Promise<void> {
  await until(
    () => askers.every(({ seen }) => seen >= number),
    () => `number ${number}; seen are ${askers.map(({ seen }) => seen).join(' ')}`,
  )
}

/** `baton fleet --json`, until it is as it should be, or will not be. */
async function fleetSays(endpoints: readonly string[], isDone: (all: readonly InstanceRecord[]) => boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'baton-fleet-'))
  const file = join(folder, 'baton.yaml')
  writeFileSync(file, JSON.stringify({ bootstrap: { config: { etcd: { endpoints, prefix } } } }))
  let instances: readonly InstanceRecord[] = []
  const look = async (): Promise<boolean> => {
    const { stdout } = await runBaton(['fleet', '-c', file, '--json'])
    instances = (JSON.parse(stdout) as { readonly instances: readonly InstanceRecord[] }).instances
    return isDone(instances)
  }
  // what is wrong then is in what is given back
  await until(look, () => '', 5_000).catch(() => undefined)
  rmSync(folder, { recursive: true, force: true })
  return instances
}
