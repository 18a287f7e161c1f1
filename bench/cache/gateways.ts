/** A real `baton run` with a gateway for each of two versions: v1 on TCP, v2 on a Unix socket. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CacheStats, VersionStats } from '../../src/cache/stats.ts'
import { type Baton, startBaton } from '../../test/kit/baton.ts'
import { freePort } from '../../test/kit/free-ports.ts'
import { statusOf } from '../../test/kit/observed.ts'
import { until } from '../../test/kit/until.ts'
import { prefix } from './values.ts'

export type Version = 'v1' | 'v2'

export interface Gateways extends AsyncDisposable {
  readonly baton: Baton
  /** Of the generation, which does the work, and its keeper. */
  readonly pids: readonly number[]
  readonly places: { readonly v1: { readonly host: string; readonly port: number }; readonly v2: { readonly path: string } }
  stats(): Promise<CacheStats>
  statsOf(version: Version): Promise<VersionStats>
  /** Under other settings, with empty views. */
  use(cache: object): Promise<void>
  /** From the order on, until the warm-up has ended. */
  warm(version: Version): Promise<VersionStats>
  /** The same of a warm-up that is under way, or will be in a moment. */
  warmed(version: Version): Promise<VersionStats>
}

export interface GatewayOptions {
  readonly redisPort: number
  /** Laid over `cache`. */
  readonly cache?: object
  /** Laid over the rest: `versions`, `rollout` … */
  readonly config?: object
  /** By version. */
  readonly processes?: (places: Gateways['places']) => object
  /** Of keys, for `from: [file]`. */
  readonly names?: readonly string[]
}

/** Values of 1 KB, 100,000 of them, with room to spare. */
const roomy = { prefixes: [prefix], memory: '256MiB' }
const patienceMs = 60_000
/** Each look costs baton a request: more often would be measured too. */
const lookMs = 100
const noApp = { url: 'http://127.0.0.1:1' }

/** Resolves when Redis is tracked. */
export async function startGateways({ redisPort, cache = {}, config = {}, processes, names }: GatewayOptions): Promise<Gateways> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-bench-'))
  const socket = join(dir, 'v2.sock')
  const namesFile = join(dir, 'names')
  writeFileSync(namesFile, `${(names ?? []).join('\n')}\n`)
  const places = { v1: { host: '127.0.0.1', port: await freePort() }, v2: { path: socket } }
  const redis = {
    url: `redis://127.0.0.1:${redisPort}`,
    names: namesFile,
    gateways: { v1: { address: `127.0.0.1:${places.v1.port}` }, v2: { address: `unix:${socket}` } },
  }
  const baton = await startBaton({
    dir,
    config: {
      bootstrap: { redis, ...(processes === undefined ? {} : { processes: processes(places) }) },
      versions: { v1: noApp, v2: noApp },
      stable: 'v1',
      ...config,
      cache: { ...roomy, ...cache },
    },
  })
  const running = new Running(baton, places)
  try {
    await running.live()
  } catch (error) {
    await running[Symbol.asyncDispose]()
    throw error
  }
  return running
}

class Running implements Gateways {
  readonly baton: Baton
  readonly places: Gateways['places']
  pids: readonly number[] = []

  constructor(baton: Baton, places: Gateways['places']) {
    this.baton = baton
    this.places = places
  }

  async live(): Promise<void> {
    await until(
      async () => (await this.stats()).source?.live === true,
      () => `Redis is not tracked: ${this.baton.output().slice(-2_000)}`,
    )
    const { pid, keeperPid } = (await statusOf(this.baton)).baton
    this.pids = [pid, keeperPid]
  }

  async stats(): Promise<CacheStats> {
    return JSON.parse((await this.baton.admin('GET', '/v1/cache')).body) as CacheStats
  }

  async statsOf(version: Version): Promise<VersionStats> {
    const found = (await this.stats()).versions.find((each) => each.version === version)
    if (found === undefined) throw new Error(`no cache of ${version}`)
    return found
  }

  async use(cache: object): Promise<void> {
    const before = JSON.parse(readFileSync(this.baton.configFile, 'utf8')) as object
    writeFileSync(this.baton.configFile, JSON.stringify({ ...before, cache: { ...roomy, ...cache } }))
    const { status, body } = await this.baton.admin('POST', '/v1/reload')
    if (status !== 200) throw new Error(`the settings are refused: ${body}`)
  }

  async warm(version: Version): Promise<VersionStats> {
    const { status, body } = await this.baton.admin('POST', '/v1/cache/warm', { version })
    if (status !== 202) throw new Error(`no warm-up of ${version}: ${body}`)
    return this.warmed(version)
  }

  async warmed(version: Version): Promise<VersionStats> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const stats = await this.statsOf(version)
      if (stats.warm !== null && stats.warm.ended !== null) return stats
      if (performance.now() > deadline) throw new Error(`${version} is not warmed: ${this.baton.output().slice(-2_000)}`)
      await sleep(lookMs)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.baton[Symbol.asyncDispose]()
    rmSync(this.baton.dir, { recursive: true, force: true })
  }
}
