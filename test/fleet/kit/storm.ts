/** A run of a schedule: a real cluster, a writer, and instances that follow it, each behind relays of its own to every member. */
import { setTimeout as sleep } from 'node:timers/promises'
import { EtcdGateway } from '../../../src/config/etcd/gateway.ts'
import { BatonError } from '../../../src/errors.ts'
import { ConfigLog } from '../../../src/fleet/config-log.ts'
import { realWorld } from '../../../src/world.ts'
import type { Etcd, EtcdMember } from '../../kit/etcd.ts'
import { type FaultProxy, startFaultProxy, type Weather } from '../../kit/fault-proxy.ts'
import { until } from '../../kit/until.ts'
import { judge } from './judge.ts'
import { numbered } from './numbered.ts'
import { hasty, type Numbered, type RunningSource, startSource } from './running-source.ts'
import type { Blow, Schedule } from './schedule.ts'

export interface Stormed {
  /** Empty if every promise was kept. */
  readonly complaints: readonly string[]
  readonly committed: number
  /** Configurations that the instances applied, all together. */
  readonly applied: number
}

/** Of one instance the reads meet the watch all the time, of the next they come late. */
const readMs = [100, 2_000]

/** All members run when it begins and when it ends. */
export async function runStorm(etcd: Etcd, prefix: string, schedule: Schedule, instances: number): Promise<Stormed> {
  await using stack = new AsyncDisposableStack()
  const links: FaultProxy[][] = []
  for (let client = 0; client <= instances; client++) {
    const all = await Promise.all(etcd.members.map(({ port }) => startFaultProxy(port)))
    for (const link of all) stack.use(link)
    links.push(all)
  }
  const urls = links.map((all) => all.map(({ url }) => url))
  const sources = urls.slice(0, instances).map((endpoints, index) => stack.use(startSource(endpoints, prefix, readMs[index % 2] ?? 0)))
  const store = new EtcdGateway({ endpoints: urls.at(-1) ?? [], login: null, tls: null, timeouts: hasty }, realWorld)
  stack.defer(() => store.close())
  const log = new ConfigLog(store, prefix)
  const [committed] = await Promise.all([write(log, schedule.gaps), strikeAll(etcd, links, schedule)])
  const last = committed.at(-1)?.revision ?? 0
  const areAllThere = () => sources.every(({ applied }) => applied.at(-1)?.revision === last)
  // what is wrong then the checker says
  await until(areAllThere, () => '').catch(() => undefined)
  const kept = await etcdSays(etcd, prefix)
  return {
    complaints: [...complaintsOn(committed, kept), ...sources.flatMap((source, index) => complaintsOf(source, index, committed))],
    committed: committed.length,
    applied: sources.reduce((sum, { applied }) => sum + applied.length, 0),
  }
}

/** Each once, however often it has to be said. */
async function write(log: ConfigLog, gaps: readonly number[]): Promise<Numbered[]> {
  const committed: Numbered[] = []
  for (const [index, gap] of gaps.entries()) {
    await sleep(gap)
    const text = numbered(index + 1)
    const revision = await until(
      () => written(log, text),
      () => `number ${index + 1} cannot be written`,
    )
    committed.push({ revision, text })
  }
  return committed
}

async function written(log: ConfigLog, text: string): Promise<number | null> {
  try {
    const outcome = await log.write(text, { at: realWorld.now(), by: 'the writer' }, null)
    return outcome.is === 'lost' ? null : outcome.revision
  } catch (error) {
    if (error instanceof BatonError && error.code === 'unreachable') return null
    throw error
  }
}

async function strikeAll(etcd: Etcd, links: readonly (readonly FaultProxy[])[], { steps }: Schedule): Promise<void> {
  const weathers: Promise<void>[] = []
  for (const { waitMs, blow } of steps) {
    await sleep(waitMs)
    const touched = 'client' in blow ? (links[blow.client] ?? []) : []
    if (blow.is === 'weather') weathers.push(spoil(touched, blow))
    else if (blow.is === 'reset') for (const link of touched) link.reset()
    else await strike(etcd, blow)
  }
  await Promise.all(weathers)
  for (const link of links.flat()) link.weather = { is: 'fair' }
}

async function spoil(links: readonly FaultProxy[], { link, weather, forMs }: Extract<Blow, { is: 'weather' }>): Promise<void> {
  const touched = links.filter((_, index) => link === 'all' || link === index)
  for (const each of touched) each.weather = weather
  await sleep(forMs)
  // unless another one has come meanwhile
  for (const each of touched) if (each.weather === weather) each.weather = { is: 'fair' } satisfies Weather
}

async function strike(etcd: Etcd, blow: Exclude<Blow, { is: 'weather' | 'reset' }>): Promise<void> {
  if (blow.is === 'compact') return await compact(etcd)
  const member = await memberOf(etcd, blow.whom)
  if (blow.is === 'restart') {
    await member.stop(blow.signal)
    await sleep(blow.downMs)
    return await member.start()
  }
  const { pid } = member
  process.kill(pid, 'SIGSTOP')
  await sleep(blow.forMs)
  process.kill(pid, 'SIGCONT')
}

async function compact(etcd: Etcd): Promise<void> {
  const compacted = async (): Promise<boolean> => {
    for (const { url } of etcd.members) {
      const now = await ask(url, '/v3/kv/range', { key: Buffer.of(0).toString('base64') })
      if (now === null) continue
      // refused where nothing was written since the last time
      await ask(url, '/v3/kv/compaction', { revision: now.header.revision, physical: true })
      return true
    }
    return false
  }
  await until(compacted, () => 'nobody compacts')
}

async function memberOf(etcd: Etcd, whom: number | 'leader'): Promise<EtcdMember> {
  const find = async () => {
    if (whom !== 'leader') return etcd.members[whom] ?? null
    for (const member of etcd.members) {
      const status = await ask(member.url, '/v3/maintenance/status', {})
      if (status !== null && status.leader === status.header.member_id) return member
    }
    return null
  }
  return await until(find, () => `no ${whom}`)
}

interface Said {
  readonly header: { readonly member_id: string; readonly revision: string }
  readonly leader?: string
}

/** Of one member, past every relay and past baton's own client. Null where it does not answer, or refuses. */
async function ask(url: string, path: string, request: unknown): Promise<Said | null> {
  try {
    const answer = await fetch(url + path, { method: 'POST', body: JSON.stringify(request), signal: AbortSignal.timeout(1_000) })
    return answer.ok ? ((await answer.json()) as Said) : null
  } catch {
    return null
  }
}

/** What the writer was told has to be what etcd holds: the current one, and the fifty before it. */
async function etcdSays(etcd: Etcd, prefix: string): Promise<readonly Numbered[]> {
  const store = new EtcdGateway({ endpoints: etcd.urls, login: null, tls: null }, realWorld)
  try {
    const log = new ConfigLog(store, prefix)
    const found: Numbered[] = []
    for (const { revision } of (await log.history()).toReversed()) {
      const at = await log.at(revision)
      if (at !== null) found.push({ revision, text: at.text })
    }
    return found
  } finally {
    await store.close()
  }
}

function complaintsOn(committed: readonly Numbered[], kept: readonly Numbered[]): readonly string[] {
  const tail = committed.slice(-kept.length)
  const same = kept.length >= Math.min(committed.length, 50) && JSON.stringify(tail) === JSON.stringify(kept)
  return same ? [] : [`the writer was told ${JSON.stringify(tail)}, and etcd holds ${JSON.stringify(kept)}`]
}

function complaintsOf({ applied, warnings }: RunningSource, index: number, committed: readonly Numbered[]): readonly string[] {
  const found = [...judge(committed, applied), ...warnings.filter((warning) => warning.startsWith('etcd has begun anew'))]
  if (found.length === 0) return []
  const path = applied.map(({ revision }) => revision).join(' ')
  return [`instance ${index}: ${found.join('; ')}; it applied ${path}; it warned: ${warnings.slice(-20).join(' | ')}`]
}
