/** A real baton before two real versions of an app, under load, and the orders that a test gives it. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Answer, type Baton, nodePath, startBaton } from '../../kit/baton.ts'
import { type Status, statusOf, untilProbe } from '../../kit/observed.ts'
import { until } from '../../kit/until.ts'
import { type Fact, readRecord } from './record.ts'
import { startTraffic, type Traffic, untilServed } from './traffic.ts'
import { type Verdict, verdictOf } from './verdict.ts'

const program = fileURLToPath(new URL('../program/app.ts', import.meta.url))

export interface UpgradeView {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly phase: string
  readonly seq: number
  readonly step?: number
  readonly mode?: { readonly is: string }
  readonly todo?: string
  readonly frozen?: { readonly code: string; readonly detail: string } | null
  readonly why?: { readonly code: string; readonly detail: string }
}

export interface RunOptions {
  /** Environment of each version's process; `v1` and `v2` are always there. */
  readonly apps?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Laid over the configuration. */
  readonly config?: Readonly<Record<string, unknown>>
  /** By version, laid over its process: `stopTimeout`, `command` … */
  readonly process?: Readonly<Record<string, object>>
  /** Null: no load. */
  readonly traffic?: {
    readonly ratePerSecond?: number
    readonly streams?: number
    readonly sockets?: number
    readonly users?: number
  } | null
}

/** The parts of a configuration that tests change; all of it is there. */
export interface Configuration {
  bootstrap: { processes: Record<string, unknown> }
  versions: Record<string, unknown>
  stable: string
  routes: unknown[]
}

export interface UpgradeRun extends AsyncDisposable {
  readonly baton: Baton
  readonly dir: string
  readonly traffic: Traffic
  status(): Promise<Status & { readonly upgrade: UpgradeView | null }>
  /** The upgrade under way, or the last one. */
  upgrade(): Promise<UpgradeView>
  /** An order that has to be taken: `upgrade`, `promote`, `drain` … Gives its outcome. */
  order(name: string, body?: unknown): Promise<{ readonly is: 'accepted' | 'unchanged'; readonly upgrade: UpgradeView | null }>
  /** An order that has to be refused: the reason. */
  refused(name: string, body?: unknown): Promise<string>
  get(path: string): Promise<unknown>
  /** Waits for a place of the upgrade: a phase, or what `holds` says of it. */
  reaches(place: string | ((upgrade: UpgradeView) => boolean), limitMs?: number): Promise<UpgradeView>
  /** Of a version that runs or is about to. */
  pid(version: string): Promise<number>
  /** The configuration file as `change` makes it, reloaded: the faults for which it was refused, or none. */
  reconfigure(change: (config: Configuration) => void): Promise<string>
  /** Waits until so many more requests were answered and, where there are streams and sockets, another event and another echo came. */
  served(more?: number): Promise<void>
  facts(): readonly Fact[]
  /** Ends the load and judges it. */
  verdict(): Promise<Verdict>
}

export const names: readonly string[] = ['v1', 'v2']

/** Steps that take a moment each, and the same ones by hand (`manual`, built in). */
const quick = {
  steps: [
    'header-only',
    { weight: 10, for: '300ms' },
    { weight: 50, for: '300ms' },
    { weight: 100, for: '300ms' },
    { bake: true, for: '300ms' },
  ],
}

export async function startRun({ apps = {}, config = {}, process: changes = {}, traffic = {} }: RunOptions = {}): Promise<UpgradeRun> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-upgrade-'))
  const recordFile = join(dir, 'record')
  const all = [...new Set([...names, ...Object.keys(apps)])]
  const process = (version: string) => [
    version,
    { command: [nodePath, program], port: 0, env: { VERSION: version, RECORD: recordFile, ...apps[version] }, ...changes[version] },
  ]
  const baton = await startBaton({
    dir,
    config: {
      bootstrap: { processes: Object.fromEntries(all.map(process)) },
      versions: Object.fromEntries(all.map((version) => [version, { process: version }])),
      stable: 'v1',
      health: { http: '/healthz', interval: '200ms', fastInterval: '50ms', successThreshold: 1 },
      routes: [{ name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'candidate', fallback: 'stable' }],
      drain: { grace: '1s', deadline: '2s' },
      rollout: { plans: { quick, ...(config.plans as object | undefined) } },
      ...without(config, 'plans'),
    },
  })
  await untilProbe(baton, 'ready', 'v1')
  const load = startTraffic({
    port: baton.publicPort,
    ratePerSecond: 200,
    streams: 3,
    sockets: 3,
    ...(traffic ?? { ratePerSecond: 0, streams: 0, sockets: 0 }),
  })
  return new Run(baton, dir, recordFile, load)
}

class Run implements UpgradeRun {
  readonly baton: Baton
  readonly dir: string
  readonly traffic: Traffic
  readonly #recordFile: string

  constructor(baton: Baton, dir: string, recordFile: string, traffic: Traffic) {
    this.baton = baton
    this.dir = dir
    this.traffic = traffic
    this.#recordFile = recordFile
  }

  async status(): Promise<Status & { readonly upgrade: UpgradeView | null }> {
    return (await statusOf(this.baton)) as Status & { readonly upgrade: UpgradeView | null }
  }

  async upgrade(): Promise<UpgradeView> {
    const { upgrade } = await this.status()
    if (upgrade === null) throw new Error('there was no upgrade yet')
    return upgrade
  }

  async order(name: string, body?: unknown): ReturnType<UpgradeRun['order']> {
    const answer = await this.#post(name, body)
    assert.ok(answer.status === 200 || answer.status === 202, `${name}: ${answer.status} ${answer.body}`)
    return JSON.parse(answer.body)
  }

  async refused(name: string, body?: unknown): Promise<string> {
    const answer = await this.#post(name, body)
    assert.equal(answer.status, 409, `${name}: ${answer.status} ${answer.body}`)
    return answer.body
  }

  async get(path: string): Promise<unknown> {
    return JSON.parse((await this.baton.admin('GET', path)).body)
  }

  async reaches(place: string | ((upgrade: UpgradeView) => boolean), limitMs?: number): Promise<UpgradeView> {
    let seen: UpgradeView | null = null
    const holds = typeof place === 'string' ? ({ phase }: UpgradeView) => phase === place : place
    await until(
      async () => {
        // a generation that was just killed answers nothing for a moment
        seen = await this.upgrade().catch(() => null)
        return seen !== null && holds(seen)
      },
      () => `${place}: ${JSON.stringify(seen)}\n${this.baton.output().slice(-4_000)}`,
      limitMs,
    )
    return seen as unknown as UpgradeView
  }

  async reconfigure(change: (config: Configuration) => void): Promise<string> {
    const config = JSON.parse(readFileSync(this.baton.configFile, 'utf8')) as Configuration
    change(config)
    writeFileSync(this.baton.configFile, JSON.stringify(config))
    const { status, body } = await this.baton.admin('POST', '/v1/reload')
    return status === 200 ? '' : body
  }

  async pid(version: string): Promise<number> {
    let pid: number | null | undefined
    await until(
      async () => {
        pid = (await this.status()).versions.find(({ name }) => name === version)?.process?.pid
        return typeof pid === 'number'
      },
      () => `${version} has no process; ${this.baton.output().slice(-2_000)}`,
    )
    return pid ?? 0
  }

  async served(more = 40): Promise<void> {
    await untilServed(this.traffic, more, () => this.baton.output().slice(-2_000))
  }

  facts(): readonly Fact[] {
    return readRecord(this.#recordFile)
  }

  async verdict(): Promise<Verdict> {
    return verdictOf(await this.traffic.stop(), this.facts())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.baton[Symbol.asyncDispose]()
    await this.traffic[Symbol.asyncDispose]()
    rmSync(this.dir, { recursive: true, force: true })
  }

  #post(name: string, body: unknown): Promise<Answer> {
    return this.baton.admin('POST', `/v1/${name}`, body)
  }
}

function without(config: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  const { [key]: _, ...rest } = config
  return rest
}
