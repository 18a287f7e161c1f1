/** Real batons that share a real etcd, each with apps of its own, under load; and the commands that a person gives them. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EtcdGateway } from '../../src/config/etcd/gateway.ts'
import { configKeyOf } from '../../src/config/etcd/keys.ts'
import type { InstanceRecord } from '../../src/fleet/record.ts'
import { readRoster } from '../../src/fleet/roster.ts'
import type { SharedUpgrade } from '../../src/fleet/shared-upgrade.ts'
import { readUpgrade } from '../../src/fleet/upgrade-log.ts'
import { realWorld } from '../../src/world.ts'
import { type Answer, type Baton, nodePath, runBaton, startBaton } from '../kit/baton.ts'
import { type Etcd, type EtcdMember, startEtcd } from '../kit/etcd.ts'
import { statusOf } from '../kit/observed.ts'
import { until } from '../kit/until.ts'
import type { Exchange } from '../upgrade/kit/exchange.ts'
import { killed } from '../upgrade/kit/killed.ts'
import { startTraffic, type Traffic } from '../upgrade/kit/traffic.ts'

const program = fileURLToPath(new URL('../upgrade/program/app.ts', import.meta.url))
const prefix = '/baton/shop'
const versions = ['v1', 'v2', 'v3'] as const

/** Steps that take a moment each, for a load of `ratePerSecond`. */
const quick = {
  steps: [
    { headerOnly: true, for: '200ms' },
    { weight: 50, for: '500ms' },
    { bake: true, for: '500ms' },
  ],
}
const slow = { steps: ['header-only', { weight: 50, for: '10m' }, { bake: true, for: '10m' }] }
const handed = { steps: ['header-only', { weight: 50, manual: true }, { bake: true, for: '500ms' }] }
const ratePerSecond = 60

export interface Instance {
  readonly name: string
  baton: Baton
  traffic: Traffic
}

export interface Ended {
  readonly code: number | null
  readonly text: string
}

export class FleetRun {
  readonly etcd: Etcd & { readonly member: EtcdMember }
  readonly instances: Instance[] = []
  readonly dir = mkdtempSync(join(tmpdir(), 'baton-fleet-'))
  readonly #store: EtcdGateway
  readonly #url: string

  private constructor(etcd: Etcd & { readonly member: EtcdMember; readonly url: string }) {
    this.etcd = etcd
    this.#url = etcd.url
    this.#store = new EtcdGateway({ endpoints: [etcd.url], login: null, tls: null }, realWorld)
    writeFileSync(this.configFile, JSON.stringify({ bootstrap: { config: { etcd: { endpoints: [etcd.url], prefix } } } }))
  }

  /** `broken`: where v3 answers nothing but 500. Resolves when all run the configuration in etcd. */
  static async start(names: readonly string[], broken: string | null): Promise<FleetRun> {
    const fleet = new FleetRun(await startEtcd())
    try {
      await Promise.all(names.map((name) => fleet.add(name, name === broken ? { BROKEN: '1' } : {})))
      await fleet.configure({})
    } catch (error) {
      await fleet.close()
      throw error
    }
    return fleet
  }

  get configFile(): string {
    return join(this.dir, 'etcd.yaml')
  }

  /** Starts a baton of this name, with the state that one before it has left. */
  async add(name: string, v3: Readonly<Record<string, string>> = {}): Promise<Instance> {
    const dir = join(this.dir, name)
    const app = (version: string) => ({
      command: [nodePath, program],
      port: 0,
      env: { VERSION: version, ...(version === 'v3' ? v3 : {}) },
    })
    mkdirSync(dir, { recursive: true })
    const baton = await startBaton({
      dir,
      config: {
        bootstrap: {
          config: { etcd: { endpoints: [this.#url], prefix, instance: name } },
          processes: Object.fromEntries(versions.map((version) => [version, app(version)])),
        },
        versions: { v1: { process: 'v1' } },
        stable: 'v1',
        health,
      },
    })
    await baton.ready()
    const traffic = startTraffic({ port: baton.publicPort, ratePerSecond, streams: 0, sockets: 0 })
    const instance = { name, baton, traffic }
    this.instances.push(instance)
    return instance
  }

  /** SIGKILL to all of it: keeper, generation, apps. Gives what its clients had seen by then. */
  async kill(name: string): Promise<readonly Exchange[]> {
    const instance = this.#take(name)
    const { exchanges } = instance.traffic
    const seen = [...exchanges]
    await Promise.all(instance.baton.alive().map((pid) => killed(pid).catch(() => undefined)))
    await instance.traffic.stop()
    await instance.baton[Symbol.asyncDispose]()
    return seen
  }

  /** The ordered end. */
  async stop(name: string): Promise<void> {
    const instance = this.#take(name)
    await instance.traffic.stop()
    await instance.baton.stop()
    await instance.baton[Symbol.asyncDispose]()
  }

  /** `baton config put`, `change` laid over what all tests use. */
  async configure(change: object): Promise<void> {
    const file = join(this.dir, 'dynamic.yaml')
    const dynamic = {
      versions: Object.fromEntries(versions.map((version) => [version, { process: version }])),
      stable: 'v1',
      health,
      drain: { grace: '1s', deadline: '2s' },
      rollout: { plan: 'quick', plans: { quick, slow, handed, held: { strategy: 'exclusive' } } },
      ...change,
    }
    writeFileSync(file, JSON.stringify(dynamic))
    const { code, text } = await this.run('config', 'put', file, '--wait')
    assert.equal(code, 0, text)
  }

  /** A command of baton that says `-c FILE`. */
  run(...words: readonly string[]): Promise<Ended> {
    return this.#ended([...words, '-c', this.configFile])
  }

  /** The same, of another fleet in the same etcd. */
  runAt(elsewhere: string, ...words: readonly string[]): Promise<Ended> {
    const file = join(this.dir, 'elsewhere.yaml')
    writeFileSync(file, JSON.stringify({ bootstrap: { config: { etcd: { endpoints: [this.#url], prefix: elsewhere } } } }))
    return this.#ended([...words, '-c', file])
  }

  async #ended(words: readonly string[]): Promise<Ended> {
    const { code, stdout, stderr } = await runBaton(words, { cwd: this.dir })
    return { code, text: `${stdout}${stderr}` }
  }

  /** The same, of the running baton of this name. */
  async local(name: string, ...words: readonly string[]): Promise<Ended> {
    return await this.#ended([...words, '--admin', this.#of(name).baton.adminSocket])
  }

  /** An order to the running baton of this name. */
  ask(name: string, order: string): Promise<Answer> {
    return this.#of(name).baton.admin('POST', `/v1/${order}`, {})
  }

  async upgrade(): Promise<SharedUpgrade> {
    const { upgrade } = await readUpgrade(this.#store, prefix)
    assert.ok(upgrade)
    return upgrade
  }

  async records(): Promise<readonly InstanceRecord[]> {
    return (await readRoster(this.#store, prefix)).instances
  }

  async record(name: string): Promise<InstanceRecord | null> {
    return (await this.records()).find(({ id }) => id === name) ?? null
  }

  /** As somebody might who does not use baton's own command. */
  async putConfig(text: string): Promise<void> {
    await this.#store.commit([], [{ is: 'put', key: configKeyOf(prefix), value: text }])
  }

  async until(what: string, holds: () => Promise<boolean> | boolean, limitMs = 30_000): Promise<void> {
    await until(holds, () => what, limitMs)
  }

  /** The goal and every instance's own upgrade stand at this step. */
  async atStep(step: number): Promise<void> {
    let seen: unknown
    await until(
      async () => {
        const [{ id, goal }, records] = await Promise.all([this.upgrade(), this.records()])
        seen = [goal, records.map((record) => [record.id, record.upgrade])]
        return goal.is === 'step' && goal.step === step && records.every(({ upgrade }) => upgrade?.id === id && upgrade.step === step)
      },
      () => `step ${step}: ${JSON.stringify(seen)}`,
    )
  }

  /** What an instance's baton says of itself, not what etcd says. */
  async rolesOf(name: string): Promise<{ readonly stable: string; readonly candidate: string | null }> {
    return (await statusOf(this.#of(name).baton)).roles
  }

  /** Waits until each instance has answered so many more. */
  async served(more = 30): Promise<void> {
    const wanted = this.instances.map(({ traffic }) => ({ traffic, count: traffic.exchanges.length + more }))
    await this.until('requests are answered', () => wanted.every(({ traffic, count }) => traffic.exchanges.length >= count))
  }

  /** Of all exchanges of an instance from its n-th on, those that did not end well. */
  failed(name: string, from = 0): readonly string[] {
    return this.#of(name)
      .traffic.exchanges.slice(from)
      .flatMap(({ outcome }) => (outcome.is === 'ok' ? [] : [outcome.why]))
  }

  /** How many exchanges each instance has had. */
  counts(): ReadonlyMap<string, number> {
    return new Map(this.instances.map(({ name, traffic }) => [name, traffic.exchanges.length]))
  }

  /** The share of v2 (or another) among an instance's exchanges from the n-th on. */
  share(name: string, version: string, from: number): number {
    const seen = this.#of(name).traffic.exchanges.slice(from)
    return seen.filter(({ outcome }) => outcome.is === 'ok' && outcome.version === version).length / seen.length
  }

  /** All have v1 as stable, and nothing moves. */
  async settled(): Promise<void> {
    if ((await this.records()).some(({ upgrade }) => upgrade?.phase === 'shift')) await this.run('rollback', '--fleet')
    const ends: readonly (string | undefined)[] = [undefined, 'done', 'rolled-back']
    await this.until('nothing moves', async () => (await this.records()).every(({ upgrade }) => ends.includes(upgrade?.phase)))
    if ((await this.records()).every(({ roles }) => roles.stable === 'v1')) return
    const { code, text } = await this.run('upgrade', '--fleet', '--to', 'v1', '--plan', 'at-once', '--wait')
    assert.equal(code, 0, text)
  }

  async close(): Promise<void> {
    await this.#store.close()
    for (const { traffic } of this.instances) await traffic.stop()
    await Promise.all(this.instances.map(({ baton }) => baton[Symbol.asyncDispose]()))
    await this.etcd[Symbol.asyncDispose]()
    rmSync(this.dir, { recursive: true, force: true })
  }

  #of(name: string): Instance {
    const instance = this.instances.find((each) => each.name === name)
    assert.ok(instance, name)
    return instance
  }

  #take(name: string): Instance {
    const instance = this.#of(name)
    this.instances.splice(this.instances.indexOf(instance), 1)
    return instance
  }
}

const health = { http: '/healthz', interval: '200ms', fastInterval: '50ms', successThreshold: 1 }
