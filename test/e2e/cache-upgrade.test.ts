/** Upgrades of the example app with a Redis: what its new version finds in its cache, and what its old one does when it is back. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { type Baton, startBaton } from '../kit/baton.ts'
import { exampleConfig } from '../kit/example-config.ts'
import { freePorts } from '../kit/free-ports.ts'
import { needs } from '../kit/packages.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { until } from '../kit/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const items = 1_000

interface Stats {
  readonly source: { readonly live: boolean; readonly counts: { readonly fills: number } }
  readonly versions: readonly VersionStats[]
}

interface VersionStats {
  readonly version: string
  readonly keys: number
  readonly hits: number
  readonly misses: number
}

interface Upgrade {
  readonly id: string
  readonly phase: string
  readonly step?: number
  readonly why?: { readonly code: string; readonly detail: string }
}

interface Example {
  bootstrap: { processes: { v2: { env: Record<string, string> } } }
  cache: object
}

interface Shop {
  readonly redis: Redis
  readonly baton: Baton
  stats(version: string): Promise<VersionStats>
  /** Looks every item up; who served it. */
  walk(): Promise<string>
  read(id: string, headers?: Record<string, string>): Promise<{ readonly version: string; readonly name: string }>
  write(id: string, name: string, headers?: Record<string, string>): Promise<string>
  order(name: string, body?: object): Promise<void>
  reaches(holds: (upgrade: Upgrade) => boolean): Promise<Upgrade>
}

/** config/redis.yaml, with every step by hand, and no answer too old on a machine that stalls. */
async function openShop(t: TestContext, warm: object, v2: Record<string, string> = {}): Promise<Shop> {
  const redis = await startRedis()
  t.after(() => redis[Symbol.asyncDispose]())
  const [first = 0, second = 0] = await freePorts(2)
  const example = parse(exampleConfig('redis.yaml', { root, ports: { 6379: redis.port, 6391: first, 6392: second } })) as Example
  Object.assign(example.bootstrap.processes.v2.env, v2)
  const baton = await startBaton({
    config: {
      ...example,
      cache: { ...example.cache, staleness: '60s', warm },
      health: { http: '/healthz', interval: '200ms', fastInterval: '50ms', successThreshold: 1 },
      routes: [{ name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'candidate', fallback: 'stable' }],
      rollout: {
        plan: 'by-hand',
        plans: {
          'by-hand': {
            steps: [
              { headerOnly: true, manual: true },
              { bake: true, manual: true },
            ],
            retireAfter: '10m',
          },
        },
      },
    },
  })
  t.after(() => baton[Symbol.asyncDispose]())
  await baton.ready()
  const url = `http://127.0.0.1:${baton.publicPort}/catalogue`
  const shop: Shop = {
    redis,
    baton,
    async stats(version) {
      const { versions } = JSON.parse((await baton.admin('GET', '/v1/cache')).body) as Stats
      return versions.find((each) => each.version === version) ?? assert.fail(`no ${version}`)
    },
    async walk() {
      const answer = await fetch(url)
      assert.equal(answer.status, 200, await answer.clone().text())
      assert.equal(((await answer.json()) as { items: number }).items, items)
      return String(answer.headers.get('x-served-by'))
    },
    async read(id, headers = {}) {
      const answer = await fetch(`${url}/${id}`, { headers })
      const { version, item } = (await answer.json()) as { version: string; item: { name: string } | null }
      return { version, name: item?.name ?? '' }
    },
    async write(id, name, headers = {}) {
      const answer = await fetch(`${url}/${id}`, { method: 'PUT', headers, body: JSON.stringify({ name, price: 1 }) })
      assert.equal(answer.status, 200)
      return String(answer.headers.get('x-served-by'))
    },
    async order(name, body) {
      const { status, body: text } = await baton.admin('POST', `/v1/${name}`, body)
      assert.ok(status === 200 || status === 202, `${name}: ${status} ${text}`)
    },
    reaches: (holds) =>
      until(
        async () => {
          const { upgrade } = JSON.parse((await baton.admin('GET', '/v1/status')).body) as { upgrade: Upgrade | null }
          return upgrade !== null && holds(upgrade) ? upgrade : null
        },
        () => baton.output().slice(-4_000),
      ),
  }
  await until(
    async () => (await fetch(`${url}/${items}`)).status === 200,
    () => `the catalogue is not filled: ${baton.output()}`,
  )
  return shop
}

/** v1 has everything in its cache. */
async function busy(shop: Shop): Promise<void> {
  await until(
    async () => {
      assert.equal(await shop.walk(), 'v1')
      return (await shop.stats('v1')).keys === items
    },
    () => shop.baton.output(),
  )
}

const atHeaderOnly = ({ phase, step }: Upgrade) => phase === 'shift' && step === 0
const atBake = ({ phase, step }: Upgrade) => phase === 'shift' && step === 1
const isOver = ({ phase }: Upgrade) => phase === 'done' || phase === 'rolled-back' || phase === 'failed'

interface Warm {
  readonly keys: number
  readonly coverage: number | null
}

/** Of an upgrade that is over; its receipt is written a moment later. */
async function warmOf({ baton }: Shop, { id }: Upgrade): Promise<Warm> {
  await until(
    () =>
      baton
        .output()
        .split('\n')
        .some((line) => line.includes('"upgrade.concluded"') && line.includes(id)),
    () => baton.output().slice(-4_000),
  )
  const { receipt } = JSON.parse((await baton.admin('GET', `/v1/history/${id}`)).body) as { receipt: { warm: Warm | null } }
  return receipt.warm ?? assert.fail('nothing of the cache')
}

describe('an upgrade with a cache', { skip: needs('redis-server') }, () => {
  test('the first requests of a warmed v2 are hits, a write through either is seen by both at once, and a rollback finds v1 warm', async (t) => {
    const shop = await openShop(t, { from: ['other-version'], require: '99%' })
    await busy(shop)
    await shop.order('upgrade', { to: 'v2' })
    await shop.reaches(atHeaderOnly)
    const before = await shop.stats('v2')
    assert.deepEqual([before.keys, before.hits], [items, 0])

    const canary = { 'x-canary': 'true' }
    for (let count = 0; count < 40; count += 1) {
      const [own, other] = count % 2 === 0 ? [{}, canary] : [canary, {}]
      assert.equal(await shop.write('7', `Lamp ${count}`, own), count % 2 === 0 ? 'v1' : 'v2')
      assert.deepEqual(await shop.read('7', other), { version: count % 2 === 0 ? 'v2' : 'v1', name: `Lamp ${count}` })
    }

    await shop.order('promote')
    await shop.reaches(atBake)
    const [cold, toldBefore] = [await shop.stats('v2'), await hitsOf(shop.baton, 'v2')]
    assert.equal(await shop.walk(), 'v2')
    const warm = await shop.stats('v2')
    // the one that was written may still be on its way
    assert.ok(warm.misses - cold.misses <= 1 && warm.hits - cold.hits >= items - 1, JSON.stringify([cold, warm]))
    assert.equal((await hitsOf(shop.baton, 'v2')) - toldBefore, warm.hits - cold.hits)

    await shop.order('promote')
    const upgrade = await shop.reaches(isOver)
    assert.equal(upgrade.phase, 'done')
    const { keys, coverage } = await warmOf(shop, upgrade)
    assert.deepEqual([keys, coverage], [items, 1])
    const written = ['1', '500', '1000']
    for (const id of written) assert.equal(await shop.write(id, `New ${id}`), 'v2')

    await shop.order('rollback')
    const left = await shop.stats('v1')
    assert.equal(await shop.walk(), 'v1')
    const back = await shop.stats('v1')
    assert.ok(back.misses - left.misses <= written.length + 1, JSON.stringify([left, back]))
    assert.ok(back.hits - left.hits >= items - written.length - 1, JSON.stringify([left, back]))
    for (const id of written) assert.deepEqual(await shop.read(id), { version: 'v1', name: `New ${id}` })
  })

  test('with nothing to warm it from, v2 starts cold, and the receipt says so', async (t) => {
    const shop = await openShop(t, { from: [] })
    await busy(shop)
    await shop.order('upgrade', { to: 'v2' })
    await shop.reaches(atHeaderOnly)
    const before = await shop.stats('v2')
    assert.equal(before.keys, 0)
    await shop.order('promote')
    await shop.reaches(atBake)
    assert.equal(await shop.walk(), 'v2')
    const after = await shop.stats('v2')
    assert.deepEqual([after.hits, after.misses - before.misses], [0, items])
    await shop.order('promote')
    assert.deepEqual(await coverageAtEnd(shop, 'done'), { keys: 0, coverage: null })
  })

  const slowStart = { START_DELAY_MS: '2000' }

  test('a cache that cannot be made as warm as required takes the upgrade back', async (t) => {
    const shop = await openShop(t, { from: ['other-version'], require: '90%', deadline: '1s' }, slowStart)
    await busy(shop)
    await shop.order('upgrade', { to: 'v2' })
    await shop.reaches(({ phase }) => phase === 'health-check')
    await shop.redis.stop('SIGKILL')
    const { phase, why } = await shop.reaches(isOver)
    assert.deepEqual([phase, why?.code], ['rolled-back', 'warm-failed'])
    assert.match(why?.detail ?? '', /the cache of v2 has 0 keys/)
    const hello = await fetch(`http://127.0.0.1:${shop.baton.publicPort}/api/hello`)
    assert.equal(hello.headers.get('x-served-by'), 'v1')
    assert.deepEqual(await coverageAtEnd(shop, 'rolled-back'), { keys: 0, coverage: null })
  })

  test('where nothing is required it goes on with a warning', async (t) => {
    const shop = await openShop(t, { from: ['other-version'], deadline: '1s' }, slowStart)
    await busy(shop)
    await shop.order('upgrade', { to: 'v2' })
    await shop.reaches(({ phase }) => phase === 'health-check')
    await shop.redis.stop('SIGKILL')
    await shop.reaches(atHeaderOnly)
    assert.match(shop.baton.output(), /"level":"warn","event":"upgrade\.cold"[^\n]*the cache of v2 has 0 keys/)
    await shop.order('promote')
    await shop.reaches(atBake)
    await shop.order('promote')
    assert.deepEqual(await coverageAtEnd(shop, 'done'), { keys: 0, coverage: null })
  })
})

async function coverageAtEnd(shop: Shop, phase: string): Promise<object> {
  const upgrade = await shop.reaches(isOver)
  assert.equal(upgrade.phase, phase)
  const { keys, coverage } = await warmOf(shop, upgrade)
  return { keys, coverage }
}

async function hitsOf(baton: Baton, version: string): Promise<number> {
  const { body } = await baton.metrics('/metrics')
  return Number(new RegExp(`^baton_cache_hits_total\\{version="${version}"\\} (\\d+)$`, 'm').exec(body)?.[1])
}
