import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import type { FleetOrder } from '../../src/fleet/commands.ts'
import { ModelFleet } from './model-fleet.ts'

type Chance =
  | {
      readonly is: 'look' | 'goes-well' | 'content' | 'tells' | 'bad' | 'crashes' | 'starts' | 'lease-ends' | 'cut' | 'mended'
      readonly n: number
    }
  | { readonly is: 'answer' | 'drop' | 'lose'; readonly n: number }
  | { readonly is: 'order'; readonly order: FleetOrder }
  | { readonly is: 'comes' }

const n = fc.nat({ max: 11 })
const of = (is: Exclude<Chance['is'], 'order' | 'comes'>, weight: number) => ({
  weight,
  arbitrary: n.map((each): Chance => ({ is, n: each })),
})
const chance: fc.Arbitrary<Chance> = fc.oneof(
  of('look', 20),
  of('answer', 40),
  of('goes-well', 20),
  of('content', 12),
  of('tells', 16),
  of('drop', 2),
  of('lose', 2),
  of('bad', 2),
  of('crashes', 2),
  of('starts', 3),
  of('lease-ends', 2),
  of('cut', 1),
  of('mended', 2),
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<FleetOrder>('promote', 'promote', 'promote', 'pause', 'resume', 'resume', 'rollback')
      .map((order): Chance => ({ is: 'order', order })),
  },
  { weight: 1, arbitrary: fc.constant<Chance>({ is: 'comes' }) },
)

async function take(fleet: ModelFleet, each: Chance): Promise<void> {
  if (each.is === 'order') return fleet.order(each.order)
  if (each.is === 'comes') return fleet.instances.length < 6 ? fleet.come() : undefined
  if (each.is === 'answer' || each.is === 'drop' || each.is === 'lose') return await fleet.settle(each.n, each.is)
  const instance = fleet.instances[each.n % fleet.instances.length]
  if (instance === undefined) return
  switch (each.is) {
    case 'look':
      return instance.look()
    case 'goes-well':
      return instance.goWell()
    case 'content':
      return instance.beContent()
    case 'tells':
      return fleet.tell(instance)
    case 'bad':
      return instance.take(
        instance.upgrade?.phase === 'shift'
          ? { is: 'verdict', asks: 'rollback', detail: 'errors' }
          : { is: 'candidate-lost', detail: 'it ended' },
      )
    case 'crashes':
      return instance.crash()
    case 'starts':
      return instance.isAlive ? undefined : instance.start(fleet.store)
    case 'lease-ends':
      return fleet.endLease(instance)
    case 'cut':
      instance.isCut = true
      return
    case 'mended':
      instance.isCut = false
  }
}

async function run(count: number, chances: readonly Chance[]): Promise<ModelFleet> {
  const fleet = new ModelFleet(count)
  for (const each of chances) {
    await take(fleet, each)
    await turn()
    fleet.check()
  }
  await fleet.conclude()
  return fleet
}

describe('whatever happens to a fleet in its upgrade', () => {
  test('the goal goes step by step to one end, a commit is agreed to by all that live, and all come to where it ends', async () => {
    const seen = new Map<string, number>()
    const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(chance, { maxLength: 400, size: 'max' }), async (instances, chances) => {
        const fleet = await run(instances, chances)
        const { progress, upgrade, store } = fleet
        count(progress)
        if (store.lost > 0) count('lost')
        const stables = fleet.instances.map(({ stable }) => stable)
        assert.notEqual(progress, 'under-way')
        if (progress === 'done') assert.ok(stables.every((stable) => stable === 'v2'))
        if (progress === 'rolled-back') assert.ok(stables.every((stable) => stable === 'v1'))
        // after the commit an instance may go back, or freeze, alone
        if (progress === 'apart') assert.equal(upgrade.goal.is, 'commit')
      }),
      { numRuns: 600, seed: 64 },
    )
    for (const what of ['done', 'rolled-back', 'apart', 'lost']) assert.ok((seen.get(what) ?? 0) > 3, `${what}: ${seen.get(what)}`)
  })

  test('if all goes well, all have committed', async () => {
    const fleet = await run(3, [])
    assert.deepEqual([fleet.progress, fleet.upgrade.goal], ['done', { is: 'commit' }])
  })
})

test('two who promote at once mean the same step', async () => {
  const fleet = new ModelFleet(1)
  fleet.order('promote')
  fleet.order('promote')
  // both have read before either writes
  while (fleet.store.questions.length > 0) await fleet.settle(0, 'answer')
  const { goal } = fleet.upgrade
  assert.ok(goal.is === 'step')
  assert.equal(goal.step, 1)
})

describe('between the look at the instances and the commit', () => {
  /** The first is about to commit. */
  async function aboutToCommit(): Promise<ModelFleet> {
    const fleet = new ModelFleet(2)
    await fleet.walkTo(3)
    fleet.instances[0]?.look()
    await fleet.settle(0, 'answer')
    await fleet.settle(0, 'answer')
    assert.equal(fleet.store.questions.length, 1)
    return fleet
  }

  test('nothing changes: it is committed', async () => {
    const fleet = await aboutToCommit()
    await fleet.settle(0, 'answer')
    assert.deepEqual(fleet.upgrade.goal, { is: 'commit' })
  })

  test('one comes that has not agreed: it is not', async () => {
    const fleet = await aboutToCommit()
    fleet.come()
    await fleet.settle(0, 'answer')
    assert.equal(fleet.upgrade.goal.is, 'step')
  })

  test('one is content no more: it is not', async () => {
    const fleet = await aboutToCommit()
    const [, other] = fleet.instances
    assert.ok(other)
    other.take({ is: 'verdict', asks: 'degrade', forMs: 1, maxDegrades: 2, detail: 'errors' })
    fleet.tell(other)
    await fleet.settle(0, 'answer')
    assert.equal(fleet.upgrade.goal.is, 'step')
  })

  test('the lease of one ends: it is committed', async () => {
    const fleet = await aboutToCommit()
    const [, other] = fleet.instances
    assert.ok(other)
    other.crash()
    fleet.endLease(other)
    await fleet.settle(0, 'answer')
    assert.deepEqual(fleet.upgrade.goal, { is: 'commit' })
  })
})
