/** Upgrade after upgrade under load, there and back: nothing is lost on the way, and nothing is left lying. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../kit/until.ts'
import { fdCount, residentBytes } from './kit/killed.ts'
import { startTraffic } from './kit/traffic.ts'
import { startRun } from './kit/upgrade-run.ts'
import { assertKept, verdictOf } from './kit/verdict.ts'

const rounds = 10
const brisk = { steps: ['header-only', { weight: 50, for: '100ms' }, { bake: true, for: '100ms' }] }
/** Of a heap that grows and shrinks as it likes, in bytes. */
const slack = 64 * 1024 * 1024

describe('ten upgrades in a row, in both directions', () => {
  test('lose nothing, and leak neither process nor descriptor nor memory', async () => {
    await using run = await startRun({ traffic: null, config: { plans: { brisk } } })
    const { pid } = (await run.status()).baton
    const processes = run.baton.alive().length
    const descriptors = fdCount(pid)
    await using traffic = startTraffic({ port: run.baton.publicPort, ratePerSecond: 200, streams: 3, sockets: 3 })
    let resident = 0
    for (let round = 0; round < rounds; round++) {
      const to = round % 2 === 0 ? 'v2' : 'v1'
      const { upgrade } = await run.order('upgrade', { to, plan: 'brisk' })
      await run.reaches(({ id, phase }) => id === upgrade?.id && phase === 'done')
      if (round === 1) resident = residentBytes(pid)
    }
    assert.ok(residentBytes(pid) < resident + slack, `${resident} bytes after two, ${residentBytes(pid)} after ${rounds}`)
    assertKept(verdictOf(await traffic.stop(), run.facts()))
    await until(
      () => fdCount(pid) <= descriptors,
      () => `${fdCount(pid)} descriptors, ${descriptors} at the beginning`,
    )
    assert.equal(run.baton.alive().length, processes)
    assert.equal(run.facts().filter(({ fact }) => fact === 'started').length, rounds + 1)
    const { upgrades } = (await run.get('/v1/history')) as { upgrades: readonly { readonly phase: string }[] }
    assert.deepEqual(
      upgrades.map(({ phase }) => phase),
      Array.from({ length: rounds }, () => 'done'),
    )
    assert.equal((await run.baton.stop()).code, 0)
    assert.deepEqual(run.baton.alive(), [])
  })
})
