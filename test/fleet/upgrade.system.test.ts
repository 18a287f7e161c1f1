/** A fleet's upgrade as people see it: three real batons with apps of their own, one real etcd, load on each. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { needs } from '../kit/packages.ts'
import { FleetRun } from './fleet-run.ts'

interface Shifting {
  readonly step: number
  readonly weight: number
}

describe('the upgrade of a fleet', { skip: needs('etcd') }, () => {
  let fleet: FleetRun

  before(async () => {
    fleet = await FleetRun.start(['i1', 'i2', 'i3'], 'i2')
  })
  after(() => fleet.close())

  beforeEach(() => fleet.settled())

  test('a good version: all walk in step, and no request has noticed', async () => {
    const looks: Shifting[][] = []
    const watching = new AbortController()
    const watched = watch(watching.signal, looks)
    const { code, text } = await fleet.run('upgrade', '--fleet', '--to', 'v2', '--wait')
    assert.equal(code, 0, text)
    watching.abort()
    await watched
    await fleet.served()

    assert.match(text, /step 1 of 3: 0 %/)
    assert.match(text, /step 2 of 3: 50 %/)
    assert.match(text, /committed {2}there: 3 of 3\n/)
    const stepsOf = (all: readonly Shifting[]) => all.map(({ step }) => step)
    assert.deepEqual(
      looks.filter((all) => Math.max(...stepsOf(all)) - Math.min(...stepsOf(all)) > 1),
      [],
    )
    assert.ok(looks.some((all) => all.length === 3 && all.every(({ step, weight }) => step === 1 && weight === 50)))

    const { id, goal } = await fleet.upgrade()
    assert.deepEqual(goal, { is: 'commit' })
    const { instances } = JSON.parse((await fleet.run('fleet', '--json')).text)
    assert.equal(instances.length, 3)
    for (const { upgrade, roles, id: name } of instances) {
      assert.deepEqual([upgrade.id, upgrade.phase, upgrade.weight, roles.stable], [id, 'done', 0, 'v2'], name)
      assert.deepEqual(fleet.failed(name), [])
    }
  })

  /** Where all stand that shift, now and then, until it is told to end. */
  async function watch(signal: AbortSignal, looks: Shifting[][]): Promise<void> {
    while (!signal.aborted) {
      const records = await fleet.records()
      const shifting = records.flatMap(({ upgrade }) =>
        upgrade?.phase === 'shift' && upgrade.step !== null ? [{ step: upgrade.step, weight: upgrade.weight }] : [],
      )
      if (shifting.length > 0) looks.push(shifting)
      await sleep(100)
    }
  }

  test('bad on one instance: its verdict takes all back, once, and the key says who, why and its figures', async () => {
    const counts = fleet.counts()
    const { code, text } = await fleet.run('upgrade', '--fleet', '--to', 'v3', '--wait')
    assert.equal(code, 3, text)
    const { goal } = await fleet.upgrade()
    assert.ok(goal.is === 'rollback')
    assert.equal(goal.by, 'i2')
    assert.match(goal.why, /requests failed/)
    const evidence = goal.evidence as { readonly level: string; readonly signals: readonly { readonly signal: string }[] }
    assert.equal(evidence.level, 'L1')
    assert.ok(evidence.signals.some(({ signal }) => signal === 'errorRate'))
    assert.match(text, /demanded by i2: .*requests failed/)
    for (const { id, roles, upgrade } of await fleet.records()) {
      assert.deepEqual([roles.stable, upgrade?.phase], ['v1', 'rolled-back'], id)
      assert.deepEqual(await fleet.rolesOf(id), { stable: 'v1', candidate: null })
    }
    for (const name of ['i1', 'i3']) assert.deepEqual(fleet.failed(name, counts.get(name)), [])
    const failed = fleet.failed('i2', counts.get('i2'))
    assert.ok(failed.length > 0 && failed.every((why) => why.startsWith('500 ')), failed.join(', '))
  })

  test('one is killed in the middle: its lease ends, one that has come meanwhile walks along, all commit; back again it follows', async () => {
    assert.equal((await fleet.run('upgrade', '--fleet', '--to', 'v2', '--plan', 'handed')).code, 0)
    await fleet.atStep(1)
    const counts = fleet.counts()
    assert.match((await fleet.run('fleet')).text, /i1 .* upg-\S+ shift 50 %/)
    await fleet.kill('i3')
    // it still says that it is content
    assert.equal((await fleet.record('i3'))?.upgrade?.step, 1)
    const i4 = await fleet.add('i4')
    await fleet.until('i4 has come to where the others are', async () => (await fleet.record('i4'))?.upgrade?.step === 1)
    const { code, text } = await fleet.run('promote', '--fleet')
    assert.equal(code, 0, text)
    await fleet.until('the living have committed', async () => (await fleet.upgrade()).goal.is === 'commit', 40_000)
    assert.equal(await fleet.record('i3'), null)
    const waited = await fleet.run('upgrade', '--fleet', '--to', 'v2', '--wait')
    assert.equal(waited.code, 0, waited.text)
    assert.deepEqual(
      (await fleet.records()).map(({ id, roles }) => `${id} ${roles.stable}`),
      ['i1 v2', 'i2 v2', 'i4 v2'],
    )
    for (const name of ['i1', 'i2']) assert.deepEqual(fleet.failed(name, counts.get(name)), [])

    await Promise.all([fleet.add('i3'), fleet.add('i5')])
    for (const name of ['i3', 'i5']) {
      await fleet.until(`${name} has v2 as stable`, async () => (await fleet.record(name))?.upgrade?.phase === 'done')
      assert.deepEqual(await fleet.rolesOf(name), { stable: 'v2', candidate: null })
      assert.deepEqual(fleet.failed(name), [])
    }
    assert.equal(i4.traffic.exchanges.filter(({ outcome }) => outcome.is !== 'ok').length, 0)
    await Promise.all([fleet.stop('i4'), fleet.stop('i5')])
  })
})
