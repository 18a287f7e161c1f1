/** A version with a cache of its own in its process: filled before it serves, written from then on, by the same Redis as the old one's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Baton, nodePath, startBaton } from '../kit/baton.ts'
import { logged } from '../kit/observed.ts'
import { needs } from '../kit/packages.ts'
import { startRedis } from '../kit/redis.ts'
import { redisClient } from '../kit/redis-client.ts'
import { send } from '../kit/send.ts'
import { until } from '../kit/until.ts'

const program = fileURLToPath(new URL('../cache/push/program/app.ts', import.meta.url))
const app = { command: [nodePath, program], port: 0 }
const items = 2_000

async function read(baton: Baton, version: string, ...keys: readonly string[]): Promise<readonly string[]> {
  const answer = await send({ port: baton.publicPort, path: `/read?${keys.join(',')}`, headers: { 'x-version': version } })
  return JSON.parse(answer.body.toString()) as readonly string[]
}

test('an upgrade of an app that is pushed to: v2 has all before its first request, and both are written', {
  skip: needs('redis-server'),
}, async (t) => {
  const redis = await startRedis()
  t.after(() => redis[Symbol.asyncDispose]())
  const client = redisClient(redis.port)
  t.after(() => client.disconnect())
  const keys = Array.from({ length: items }, (_, at) => `k:${at}`)
  await client.mset(Object.fromEntries(keys.map((key) => [key, `value of ${key}`])))
  const baton = await startBaton({
    config: {
      bootstrap: { redis: { url: redis.url }, processes: { v1: app, v2: app } },
      versions: { v1: { process: 'v1', push: '/baton/cache' }, v2: { process: 'v2', push: '/baton/cache' } },
      stable: 'v1',
      routes: [{ name: 'by-version', match: { headers: { 'x-version': 'v2' } }, to: 'v2' }],
      cache: { prefixes: ['k:'], warm: { from: ['other-version', { scan: 'k:*' }], require: '100%' } },
      rollout: {
        plan: 'slow',
        plans: {
          slow: {
            steps: [
              { headerOnly: true, manual: true },
              { bake: true, for: '30s' },
            ],
          },
        },
      },
    },
  })
  t.after(() => baton[Symbol.asyncDispose]())
  await baton.ready()
  await until(
    () => logged(baton, 'cache.warmed').some(({ version }) => version === 'v1'),
    () => baton.output(),
  )
  await until(
    async () => (await read(baton, 'v1', 'k:0', `k:${items - 1}`)).every((value) => value.startsWith('value of')),
    () => `v1 lacks some; ${baton.output()}`,
  )
  assert.equal((await baton.admin('POST', '/v1/upgrade', { to: 'v2' })).status, 202)
  await until(
    () => logged(baton, 'upgrade.phase').some(({ phase }) => phase === 'shift'),
    () => baton.output(),
  )
  const first = await read(baton, 'v2', ...keys.slice(0, 200))
  assert.deepEqual(
    first,
    keys.slice(0, 200).map((key) => `value of ${key}`),
    'its first request finds all',
  )
  await client.set('k:1', 'written behind')
  for (const version of ['v1', 'v2']) {
    await until(
      // dropped at once, and read again where it was in use
      async () => ['written behind', '(miss)'].includes((await read(baton, version, 'k:1'))[0] ?? ''),
      () => `${version} has what was before`,
    )
  }
  assert.equal((await baton.admin('POST', '/v1/rollback')).status, 200)
  assert.deepEqual(await read(baton, 'v1', 'k:7'), ['value of k:7'], 'v1 is as warm as before')
})
