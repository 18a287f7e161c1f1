/** kill -9 of the keeper: serving goes on, and everyone who asks is told. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Baton, runBaton, startBaton } from '../kit/baton.ts'
import { askWho } from '../kit/load.ts'
import { logged, metric, statusOf, untilProbe } from '../kit/observed.ts'
import { send } from '../kit/send.ts'
import { managedApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const config = {
  bootstrap: { processes: { v1: managedApp('v1') } },
  versions: { v1: { process: 'v1' } },
  stable: 'v1',
  health: { http: '/healthz', fastInterval: '50ms', interval: '200ms' },
}

/** The generation's pid, once it knows. */
async function loseKeeper(baton: Baton): Promise<number> {
  await untilProbe(baton, 'ready', 'v1')
  baton.kill('SIGKILL')
  await baton.exit
  await until(
    async () => (await statusOf(baton)).baton.keeperLost,
    () => baton.output(),
  )
  return (await statusOf(baton)).baton.pid
}

describe('kill -9 of the keeper', () => {
  test('under load: no request notices; status, log and metrics say it; SIGTERM to the generation ends everything', async () => {
    await using baton = await startBaton({ config })
    await untilProbe(baton, 'ready', 'v1')
    await using load = askWho(baton.publicPort, 4)
    const pid = await loseKeeper(baton)
    const then = load.answered()
    await until(
      () => load.answered() > then + 50,
      () => 'no answers',
    )
    const { wrong, errors, connections } = await load.stop()
    assert.deepEqual([wrong, errors, connections], [[], {}, 4])
    assert.equal(await metric(baton, 'baton_keeper_lost'), 1)
    assert.equal(logged(baton, 'keeper.lost').length, 1)
    assert.match((await runBaton(['status'], { cwd: baton.dir })).stdout, /the keeper is lost/)
    const second = await runBaton(['run', '-c', baton.configFile], { cwd: baton.dir })
    assert.deepEqual([second.code, second.stdout], [2, ''])
    assert.match(second.stderr, new RegExp(`^baton: [^\n]*pid ${pid} still serves although its keeper is lost[^\n]*\n$`))
    const slow = send({ port: baton.publicPort, path: '/slow?ms=500' })
    await until(
      async () => (await statusOf(baton)).versions[0]?.inFlight === 1,
      () => 'the slow request is not under way',
    )
    process.kill(pid, 'SIGTERM')
    assert.equal((await slow).status, 200)
    await until(
      () => baton.alive().length === 0,
      () => `left: ${baton.alive()}; ${baton.output()}`,
    )
    // the lock and the sockets that were left behind do not stop the next start
    await using next = await startBaton({ config: baton.config, dir: baton.dir })
    await next.ready()
    assert.equal((await next.stop()).code, 0)
  })

  test('an app that ends then is told of, and is not started', async () => {
    await using baton = await startBaton({ config })
    const pid = await loseKeeper(baton)
    await send({ port: baton.publicPort, method: 'POST', path: '/exit' }).catch(() => null)
    await untilProbe(baton, 'not-ready', 'v1')
    await until(
      () => logged(baton, 'process.exited').some(({ exit }) => String(exit).includes('the keeper is lost')),
      () => baton.output(),
    )
    assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 503)
    process.kill(pid, 'SIGTERM')
    await until(
      () => baton.alive().length === 0,
      () => `left: ${baton.alive()}; ${baton.output()}`,
    )
  })
})
