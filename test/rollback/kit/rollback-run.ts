/** A real baton before two real versions of an app under load, one of them good, and what its verdict comes to. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Receipt } from '../../../src/rollout/receipt.ts'
import type { Upgrade } from '../../../src/rollout/upgrade.ts'
import type { Verdict } from '../../../src/rollout/verdict.ts'
import { type Baton, nodePath, startBaton } from '../../kit/baton.ts'
import { receiptOf, statusOf, untilProbe } from '../../kit/observed.ts'
import { until } from '../../kit/until.ts'
import { type Load, startLoad } from './load.ts'

const program = fileURLToPath(new URL('../program/app.ts', import.meta.url))
type Env = Readonly<Record<string, string>>

export interface RunOptions {
  /** What is bad about the version; its program says the words. */
  readonly v1?: Env
  readonly v2?: Env
  /** Requests a second; a function of the ms since the load began. */
  readonly rate?: number | ((afterMs: number) => number)
  readonly path?: (n: number) => string
  readonly steps?: readonly unknown[]
  /** `rollout.analysis` */
  readonly analysis?: object
  readonly config?: object
}

export interface Seen {
  readonly upgrade: Upgrade
  readonly analysis: Verdict | null
}

export interface RollbackRun extends AsyncDisposable {
  readonly baton: Baton
  readonly load: Load
  see(): Promise<Seen>
  begin(): Promise<void>
  /** Waits for what `holds` says of the upgrade and its verdict. */
  until(holds: (seen: Seen) => boolean, limitMs?: number): Promise<Seen>
  /** Begins the upgrade, and waits for its end. */
  toTheEnd(limitMs?: number): Promise<Upgrade>
  receipt(): Promise<Receipt>
  /** Begins to send requests, or sends them at this rate from now. */
  send(rate: number): void
  /** Waits until so many requests that were sent from now on have been answered: those. */
  served(count?: number): Promise<Load['exchanges']>
  /** When v2 got a request, ms since the epoch. */
  requestsOfV2(): readonly number[]
}

/** Judged from the first moment; a breach that has lasted a second acts one level higher; one degrade, and the next is a rollback. */
export const quick = {
  grace: '0s',
  candidateWindow: '5s',
  errorRate: { minRequests: 20 },
  latency: { minRequests: 50 },
  cpu: { for: '1s' },
  degrade: { for: '1s', max: 1 },
  escalate: '1s',
  hardStops: { notReady: '1s' },
}
const half = [
  { weight: 50, for: '3s' },
  { bake: true, for: '1s' },
]

export async function startRun(options: RunOptions = {}): Promise<RollbackRun> {
  const { steps = half, analysis = quick, config = {}, rate = 150, path = () => '/' } = options
  const dir = mkdtempSync(join(tmpdir(), 'baton-rollback-'))
  const record = join(dir, 'v2.requests')
  const process = (version: string, env: Env | undefined) => ({ command: [nodePath, program], port: 0, env: { VERSION: version, ...env } })
  const baton = await startBaton({
    dir,
    config: {
      bootstrap: { processes: { v1: process('v1', options.v1), v2: process('v2', { RECORD: record, ...options.v2 }) } },
      versions: { v1: { process: 'v1' }, v2: { process: 'v2' } },
      stable: 'v1',
      health: { http: '/healthz', interval: '200ms', fastInterval: '50ms', timeout: '500ms', successThreshold: 1 },
      timeouts: { head: '1500ms' },
      drain: { grace: '1s', deadline: '2s' },
      rollout: { plan: 'tested', plans: { tested: { steps } }, analysis },
      ...config,
    },
  })
  await untilProbe(baton, 'ready', 'v1')
  return new Run(baton, dir, record, { rate, path })
}

class Run implements RollbackRun {
  readonly baton: Baton
  readonly load: Load
  readonly #dir: string
  readonly #record: string
  #rate: (afterMs: number) => number

  constructor(baton: Baton, dir: string, record: string, { rate, path }: Required<Pick<RunOptions, 'rate' | 'path'>>) {
    this.baton = baton
    this.#dir = dir
    this.#record = record
    this.#rate = typeof rate === 'number' ? () => rate : rate
    this.load = startLoad({ port: baton.publicPort, path, rate: (afterMs) => this.#rate(afterMs) })
  }

  async see(): Promise<Seen> {
    return (await statusOf(this.baton)) as unknown as Seen
  }

  async begin(): Promise<void> {
    const { status, body } = await this.baton.admin('POST', '/v1/upgrade', { to: 'v2' })
    assert.equal(status, 202, body)
  }

  async until(holds: (seen: Seen) => boolean, limitMs = 30_000): Promise<Seen> {
    let seen = await this.see()
    await until(
      async () => {
        seen = await this.see()
        return holds(seen)
      },
      () => `${JSON.stringify(seen.upgrade)} ${JSON.stringify(seen.analysis)}\n${this.baton.output().slice(-3_000)}`,
      limitMs,
    )
    return seen
  }

  async toTheEnd(limitMs?: number): Promise<Upgrade> {
    await this.begin()
    const { upgrade } = await this.until((seen) => ['done', 'rolled-back', 'failed'].includes(seen.upgrade.phase), limitMs)
    return upgrade
  }

  async receipt(): Promise<Receipt> {
    return receiptOf(this.baton, (await this.see()).upgrade.id)
  }

  send(rate: number): void {
    this.#rate = () => rate
  }

  async served(count = 40): Promise<Load['exchanges']> {
    const from = Date.now()
    const since = () => this.load.exchanges.filter(({ sentAt }) => sentAt >= from)
    await until(
      () => since().length >= count,
      () => `${since().length} of ${count} answered`,
    )
    return since()
  }

  requestsOfV2(): readonly number[] {
    if (!existsSync(this.#record)) return []
    return readFileSync(this.#record, 'utf8').split('\n').filter(Boolean).map(Number)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rate = () => 0
    await this.baton[Symbol.asyncDispose]()
    await this.load.stop()
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

/** Everybody is served by this version, and well, but for the share of errors that it always had. */
export async function assertServedBy(run: RollbackRun, version: string): Promise<void> {
  const exchanges = await run.served()
  assert.deepEqual([...new Set(exchanges.map((exchange) => exchange.version))], [version])
}
