/** kill -9 of the generation under load: the next one takes over the sockets, the apps and what was known of them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { startLoad } from '../kit/load.ts'
import { isFollowed, logged, statusOf, untilProbe } from '../kit/observed.ts'
import { managedApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const config = {
  bootstrap: { processes: { v1: managedApp('v1'), v2: managedApp('v2') } },
  versions: { v1: { process: 'v1' }, v2: { process: 'v2' } },
  stable: 'v1',
  candidate: 'v2',
  routes: [{ name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'candidate' }],
  health: { http: '/healthz' },
}
const workers = 6

async function appPids(baton: Baton): Promise<readonly (readonly [string, number | null | undefined])[]> {
  const { versions } = await statusOf(baton)
  return versions.map(({ name, process: app }) => [name, app?.pid] as const).sort()
}

/** The next generation's pid, once it serves. */
async function killed(baton: Baton): Promise<number> {
  const { pid } = (await statusOf(baton)).baton
  process.kill(pid, 'SIGKILL')
  await until(
    () => isFollowed(baton, pid),
    () => baton.output(),
  )
  await baton.ready()
  return (await statusOf(baton)).baton.pid
}

describe('kill -9 of the generation', () => {
  test('under load: nothing is refused, no 503, the apps keep their pids, each lost request was on a lost connection', async () => {
    await using baton = await startBaton({ config })
    await untilProbe(baton, 'ready', 'v1', 'v2')
    const before = await appPids(baton)
    await using load = startLoad({
      port: baton.publicPort,
      workers,
      request: (n) => ({ path: '/who', headers: n % 2 === 0 ? { 'x-canary': 'true' } : {} }),
      check: ({ status, headers }, planned) => {
        const expected = planned.headers?.['x-canary'] === undefined ? 'v1' : 'v2'
        return status === 200 && headers['x-served-by'] === expected ? null : `${status} ${headers['baton-error']} ${expected}`
      },
    })
    const answeredMore = async (): Promise<void> => {
      const then = load.answered()
      await until(
        () => load.answered() > then + 100,
        () => `no answers; ${baton.output().slice(-1000)}`,
      )
    }
    await answeredMore()
    const pids = new Set([(await statusOf(baton)).baton.pid])
    for (let round = 0; round < 3; round++) {
      pids.add(await killed(baton))
      await answeredMore()
    }
    assert.equal(pids.size, 4)
    const { wrong, errors, connections } = await load.stop()
    assert.deepEqual(wrong, [])
    const lost = Object.values(errors).flat().length
    assert.deepEqual(
      Object.keys(errors).filter((code) => code !== 'ECONNRESET' && code !== 'EPIPE'),
      [],
      'only what had been accepted is lost',
    )
    assert.ok(lost <= 3 * workers, `${lost} lost of ${workers} connections in 3 kills`)
    assert.ok(connections <= 4 * workers + lost, `${connections} connections`)
    assert.deepEqual(await appPids(baton), before)
    assert.equal((await statusOf(baton)).baton.keeperPid, baton.keeperPid)
    assert.equal(logged(baton, 'process.started').length, 2)
    assert.equal(logged(baton, 'process.adopted').length, 6)
    assert.equal((await baton.stop()).code, 0)
    assert.deepEqual(baton.alive(), [])
  })

  test('an app that dies while there is no generation is started again by the next one', async () => {
    await using baton = await startBaton({ config })
    await untilProbe(baton, 'ready', 'v1', 'v2')
    const { versions, baton: self } = await statusOf(baton)
    const app = versions.find(({ name }) => name === 'v2')?.process?.pid ?? 0
    process.kill(self.pid, 'SIGSTOP') // so that it cannot hear of the app's end before its own
    process.kill(app, 'SIGKILL')
    process.kill(self.pid, 'SIGKILL')
    await until(
      async () => {
        const pid = (await statusOf(baton).catch(() => null))?.versions.find(({ name }) => name === 'v2')?.process?.pid
        return pid !== undefined && pid !== null && pid !== app
      },
      () => baton.output(),
    )
    await untilProbe(baton, 'ready', 'v1', 'v2')
    assert.equal((await baton.stop()).code, 0)
    assert.deepEqual(baton.alive(), [])
  })

  test('a generation that dies while baton stops ends baton, with nothing left', async () => {
    await using baton = await startBaton({ config: { ...config, drain: { endpointDelay: '20s' } } })
    await untilProbe(baton, 'ready', 'v1', 'v2')
    const { pid } = (await statusOf(baton)).baton
    baton.kill('SIGTERM')
    await until(
      () => logged(baton, 'baton.leaving').length === 1,
      () => baton.output(),
    )
    process.kill(pid, 'SIGKILL')
    assert.deepEqual(await baton.exit, { code: 1, signal: null })
    assert.deepEqual(baton.alive(), [])
  })
})
