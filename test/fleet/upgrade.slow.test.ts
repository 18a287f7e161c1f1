/** A fleet's upgrade as people see it: three real batons with apps of their own, one real etcd, load on each. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { needs } from '../kit/packages.ts'
import { FleetRun } from './fleet-run.ts'

describe('the upgrade of a fleet', { skip: needs('etcd') }, () => {
  let fleet: FleetRun

  before(async () => {
    fleet = await FleetRun.start(['i1', 'i2', 'i3'], 'i2')
  })
  after(() => fleet.close())

  /** All have v1 as stable, and nothing moves. */
  beforeEach(async () => {
    if ((await fleet.records()).some(({ upgrade }) => upgrade?.phase === 'shift')) await fleet.run('rollback', '--fleet')
    await fleet.until('nothing moves', async () =>
      (await fleet.records()).every(({ upgrade }) => upgrade === null || upgrade.phase === 'done' || upgrade.phase === 'rolled-back'),
    )
    if ((await fleet.records()).some(({ roles }) => roles.stable !== 'v1')) {
      const { code, text } = await fleet.run('upgrade', '--fleet', '--to', 'v1', '--plan', 'at-once', '--wait')
      assert.equal(code, 0, text)
    }
  })

  test('what cannot be begun is refused, and nothing has changed', async () => {
    const begin = (...words: readonly string[]) => fleet.run('upgrade', '--fleet', ...words)
    const cases: readonly (readonly [words: readonly string[], code: number, says: RegExp])[] = [
      [['--to', 'v9'], 2, /there is no version v9; there is v1, v2, v3/],
      [['--to', 'constructor'], 2, /there is no version constructor/],
      [['--to', 'v2', '--plan', 'none'], 2, /there is no plan none; there is .*quick/],
      [['--to', 'v2', '--plan', 'held'], 4, /the plan held is exclusive/],
      [['--to', 'v1'], 0, /nothing to do: v1 is stable/],
    ]
    for (const [words, code, says] of cases) {
      const ended = await begin(...words)
      assert.deepEqual([ended.code, says.test(ended.text)], [code, true], `${words}: ${ended.text}`)
    }
    const order = await fleet.run('promote', '--fleet')
    assert.deepEqual([order.code, order.text], [4, 'baton: refused: the fleet has no upgrade\n'])
    for (const { upgrade } of await fleet.records()) assert.equal(upgrade, null)
  })

  test('a good version: all walk in step, and no request has noticed', async () => {
    const steps: number[][] = []
    const watching = new AbortController()
    const watched = watch(watching.signal, steps)
    const { code, text } = await fleet.run('upgrade', '--fleet', '--to', 'v2', '--wait')
    assert.equal(code, 0, text)
    watching.abort()
    await watched
    await fleet.served()

    assert.match(text, /step 1 of 3: 0 %/)
    assert.match(text, /step 2 of 3: 50 %/)
    assert.match(text, /committed {2}there: 3 of 3\n/)
    const apart = steps.filter((all) => Math.max(...all) - Math.min(...all) > 1)
    assert.deepEqual(apart, [])
    assert.ok(steps.some((all) => all.length === 3 && all.every((step) => step === 1)))

    const { id, goal } = await fleet.upgrade()
    assert.deepEqual(goal, { is: 'commit' })
    const { instances } = JSON.parse((await fleet.run('fleet', '--json')).text)
    assert.equal(instances.length, 3)
    for (const { upgrade, roles, id: name } of instances) {
      assert.deepEqual([upgrade.id, upgrade.phase, upgrade.weight, roles.stable], [id, 'done', 0, 'v2'], name)
      assert.deepEqual(fleet.failed(name), [])
    }
  })

  /** The steps of all that shift, now and then, until it is told to end. */
  async function watch(signal: AbortSignal, steps: number[][]): Promise<void> {
    while (!signal.aborted) {
      const records = await fleet.records()
      const shifting = records.flatMap(({ upgrade }) => (upgrade?.phase === 'shift' && upgrade.step !== null ? [upgrade.step] : []))
      if (shifting.length > 0) steps.push(shifting)
      await new Promise((done) => setTimeout(done, 100))
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
    await fleet.kill('i3')
    const i4 = await fleet.add('i4')
    await fleet.until('i4 has come to where the others are', async () => (await fleet.record('i4'))?.upgrade?.step === 1)
    // the dead one's record still says that it is content
    assert.notEqual(await fleet.record('i3'), null)
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

  test('etcd ends in the middle of a shift: it stays where it is, orders are refused, and it goes on when etcd is back', async () => {
    assert.equal((await fleet.run('upgrade', '--fleet', '--to', 'v2', '--plan', 'handed')).code, 0)
    await fleet.atStep(1)
    await fleet.etcd.member.stop()
    await fleet.served(60)
    const counts = fleet.counts()
    const order = await fleet.run('promote', '--fleet')
    assert.equal(order.code, 1, order.text)
    await fleet.served(120)
    for (const [name, from] of counts) {
      const share = fleet.share(name, 'v2', from)
      assert.ok(share > 0.2 && share < 0.8, `${name}: ${share}`)
      assert.deepEqual(fleet.failed(name, from), [])
    }
    await fleet.etcd.member.start()
    assert.equal((await fleet.run('promote', '--fleet')).code, 0)
    const { code, text } = await fleet.run('upgrade', '--fleet', '--to', 'v2', '--wait')
    assert.equal(code, 0, text)
    for (const [name, from] of counts) assert.deepEqual(fleet.failed(name, from), [])
  })

  test('orders of the fleet, each said twice; what is local is refused, but to go back', async () => {
    const said = async (...words: readonly string[]) => {
      const { code, text } = await fleet.run(...words, '--fleet')
      assert.equal(code, 0, text)
      return text
    }
    assert.match(await said('upgrade', '--to', 'v2', '--plan', 'slow'), /step 1 of 3: 0 %/)
    const { id } = await fleet.upgrade()
    assert.match(await said('upgrade', '--to', 'v2', '--plan', 'slow'), new RegExp(`^${id}`))
    const other = await fleet.run('upgrade', '--fleet', '--to', 'v3')
    assert.deepEqual([other.code, other.text], [4, `baton: refused: upgrade ${id} from v1 to v2 is under way\n`])
    await fleet.atStep(1)

    assert.match(await said('pause'), /step 2 of 3: 50 %, paused/)
    assert.match(await said('pause'), /nothing to do: .*paused/)
    assert.match(await said('promote'), /step 3 of 3: 100 %, paused/)
    await fleet.atStep(2)
    assert.match(await said('resume'), /step 3 of 3: 100 %\n/)
    assert.match(await said('resume'), /nothing to do/)

    for (const order of ['promote', 'pause', 'resume']) {
      const { code, text } = await fleet.local('i1', order)
      assert.deepEqual([code, text], [4, `baton: refused: upgrade ${id} is the fleet's: add --fleet -c FILE\n`], order)
    }
    const back = await fleet.local('i1', 'rollback')
    assert.equal(back.code, 0, back.text)
    await fleet.until('the fleet goes back', async () => (await fleet.upgrade()).goal.is === 'rollback')
    const { goal } = await fleet.upgrade()
    assert.deepEqual(goal, { is: 'rollback', by: 'i1', why: 'ordered by the operator', evidence: null })
    for (const order of ['promote', 'pause', 'resume']) assert.equal((await fleet.run(order, '--fleet')).code, 4)
    await fleet.until('all have gone back', async () => (await fleet.records()).every(({ upgrade }) => upgrade?.phase === 'rolled-back'))
  })

  test('a rollback by a person names them, said twice it is once', async () => {
    assert.equal((await fleet.run('upgrade', '--fleet', '--to', 'v2')).code, 0)
    for (const says of [/goes back, demanded by \S+@\S+: ordered by/, /^nothing to do/]) {
      assert.match((await fleet.run('rollback', '--fleet')).text, says)
    }
    const after = await fleet.run('resume', '--fleet')
    assert.equal(after.code, 4, after.text)
  })

  test('instances that do not agree, or none at all: nothing begins', async () => {
    const begin = () => fleet.run('upgrade', '--fleet', '--to', 'v2')
    const alone = await fleet.local('i2', 'upgrade', '--to', 'v2', '--plan', 'manual')
    assert.equal(alone.code, 0, alone.text)
    await fleet.until('i2 tells of it', async () => (await fleet.record('i2'))?.upgrade?.phase === 'shift')
    const busy = await begin()
    assert.equal(busy.code, 4)
    assert.match(busy.text, /i2 is still in upgrade upg-\S+, which has come to shift/)
    assert.equal((await fleet.local('i2', 'rollback')).code, 0)

    await fleet.putConfig('versions: 7')
    await fleet.until('all have refused it', async () => (await fleet.records()).every(({ refused }) => refused !== null))
    const apart = await begin()
    assert.equal(apart.code, 4)
    assert.match(apart.text, /i1 runs revision \d+ of the configuration, not \d+, and has refused that: /)
    await fleet.configure({})

    const nobody = await fleet.runAt('/baton/nobody', 'upgrade', '--fleet', '--to', 'v2')
    assert.deepEqual([nobody.code, nobody.text], [4, 'baton: refused: no instance lives\n'])
  })
})
