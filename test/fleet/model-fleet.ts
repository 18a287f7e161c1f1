/**
 * A fleet without processes: real followers, real step machines, and a store whose answers come in any order. It holds, at every move, what
 * must never be otherwise.
 */
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { instanceKeyOf, instancesPrefixOf, upgradeKeyOf } from '../../src/config/etcd/keys.ts'
import { type FleetOrder, orderUpgrade } from '../../src/fleet/commands.ts'
import { Follower, type OwnUpgrade } from '../../src/fleet/follower.ts'
import { type Progress, progressOf } from '../../src/fleet/lockstep.ts'
import { type InstanceRecord, type InstanceUpgrade, readRecord, writeRecord } from '../../src/fleet/record.ts'
import { readShared, type SharedUpgrade, writeShared } from '../../src/fleet/shared-upgrade.ts'
import { rolesOf, stableOf } from '../../src/rollout/roles.ts'
import { begin, step } from '../../src/rollout/step.ts'
import { type Event, isOver, type Move, type Upgrade } from '../../src/rollout/upgrade.ts'
import { SteppedStore } from './stepped-store.ts'
import { atStep, recordOf, shared } from './upgrade-fixture.ts'

const prefix = '/baton/shop'
const person = 'person'

/** What ends the present place well. */
function wellOf(upgrade: Upgrade): Event | null {
  switch (upgrade.phase) {
    case 'precheck':
      return { is: 'prechecked' }
    case 'start-new':
      return { is: 'started' }
    case 'health-check':
      return { is: 'ready' }
    case 'warm':
      return { is: 'warmed' }
    case 'stop-old':
    case 'rollback':
      return { is: upgrade.todo === 'drain' ? 'drained' : 'stopped' }
    default:
      return null
  }
}

export class ModelInstance {
  readonly name: string
  /** What its journal says. */
  upgrade: Upgrade | null = null
  stable = 'v1'
  isAlive = false
  isCut = false
  #life = 0
  /** `seq` of the step whose time and requests are there. */
  #contentAt = -1
  #follower: Follower | null = null

  constructor(name: string) {
    this.name = name
  }

  start(store: SteppedStore): void {
    this.isAlive = true
    this.#life += 1
    const own = this.#own(this.#life)
    const world = { now: () => 1, every: () => ({ cancel: () => undefined }) }
    this.#follower = new Follower({
      store: store.as(this.name),
      prefix,
      self: this.name,
      world,
      warn: () => undefined,
      own,
      configRevision: () => 5,
    })
  }

  crash(): void {
    this.isAlive = false
    this.#life += 1
  }

  look(): void {
    if (this.isAlive) this.#follower?.look()
  }

  take(event: Event | null): void {
    if (this.isAlive && this.upgrade !== null && event !== null) this.#move(step(this.upgrade, event, 1))
  }

  goWell(): void {
    if (this.upgrade !== null) this.take(wellOf(this.upgrade))
  }

  beContent(): void {
    if (this.upgrade !== null) this.#contentAt = this.upgrade.seq
  }

  record(): InstanceRecord {
    return recordOf(this.name, this.#whereabouts(), this.stable)
  }

  #own(life: number): OwnUpgrade {
    const lives = () => assert.equal(this.#life, life, 'the process has ended')
    return {
      standing: () => {
        lives()
        const { stable, upgrade } = this
        return { upgrade: this.#whereabouts(), isLed: upgrade?.led === true, stable, configuredStable: 'v1', evidence: null }
      },
      join: async ({ id, to, plan }) => {
        lives()
        if (this.upgrade !== null && !isOver(this.upgrade)) return
        const steps = plan.steps.map((each) => ({ ...each, manual: true }))
        this.#move(begin({ id, from: this.stable, to, plan: { ...plan, steps }, ours: true, led: true, oldPid: null }, 1))
      },
      promote: async (meant) => {
        lives()
        if (this.upgrade?.phase === 'shift') assert.ok(meant <= this.upgrade.step)
        this.take({ is: 'order', order: 'promote', by: 'fleet', step: meant })
      },
      rollBack: async () => {
        lives()
        this.take({ is: 'order', order: 'rollback', by: 'fleet' })
      },
    }
  }

  #move({ next, actions }: Move): void {
    this.upgrade = next
    this.stable = stableOf(next)
    for (const action of actions) {
      if (action.do === 'stop' || action.do === 'drain') assert.notEqual(action.version, this.stable, 'what is stable is never retired')
    }
  }

  #whereabouts(): InstanceUpgrade | null {
    const { upgrade } = this
    if (upgrade === null) return null
    const { id, to, phase, seq } = upgrade
    const frozen = upgrade.phase === 'stop-old' ? upgrade.frozen : null
    return {
      id,
      to,
      phase,
      step: upgrade.phase === 'shift' ? upgrade.step : null,
      weight: rolesOf(upgrade, this.stable, null).weight,
      isMet: upgrade.phase === 'shift' && upgrade.mode.is === 'running' && this.#contentAt === seq,
      isFrozen: frozen !== null,
      why: 'why' in upgrade ? upgrade.why.detail : null,
    }
  }
}

export class ModelFleet {
  readonly instances: ModelInstance[] = []
  readonly store = new SteppedStore((key, value, by) => this.#written(key, value, by))
  readonly #goals: SharedUpgrade['goal'][] = []

  constructor(count: number) {
    this.store.commit([], [{ is: 'put', key: upgradeKeyOf(prefix), value: writeShared(shared({ goal: atStep(0) })) }], person)
    for (let each = 0; each < count; each++) this.come()
  }

  get upgrade(): SharedUpgrade {
    const [entry] = this.store.list(upgradeKeyOf(prefix)).entries
    const upgrade = readShared(entry?.value ?? '')
    assert.ok(upgrade)
    return upgrade
  }

  get progress(): Progress {
    return progressOf(this.upgrade, this.records())
  }

  come(): void {
    const instance = new ModelInstance(`i${this.instances.length + 1}`)
    this.instances.push(instance)
    instance.start(this.store)
    this.tell(instance)
  }

  tell(instance: ModelInstance): void {
    if (!instance.isAlive || instance.isCut) return
    const value = writeRecord(instance.record())
    const key = instanceKeyOf(prefix, instance.name)
    const [written] = this.store.list(key).entries
    if (written?.value !== value) this.store.commit([], [{ is: 'put', key, value }], instance.name)
  }

  endLease({ name, isAlive, isCut }: ModelInstance): void {
    if (!isAlive || isCut) this.store.commit([], [{ is: 'delete', key: instanceKeyOf(prefix, name) }], name)
  }

  order(order: FleetOrder): void {
    // refused, or unreachable: the same to the fleet as never said
    orderUpgrade(this.store.as(person), prefix, order, person, 1).catch(() => undefined)
  }

  /** The n-th question is answered, or not. */
  async settle(n: number, how: 'answer' | 'drop' | 'lose'): Promise<void> {
    const question = this.store.questions[n % Math.max(1, this.store.questions.length)]
    if (question === undefined) return
    const isCut = this.instances.find(({ name }) => name === question.by)?.isCut === true
    question[isCut ? 'drop' : how]()
    await turn()
    this.check()
  }

  /** All stand at this step, are content, and have said so. */
  async walkTo(wanted: number): Promise<void> {
    const isThere = () => this.instances.every(({ upgrade }) => upgrade?.phase === 'shift' && upgrade.step === wanted)
    for (let round = 0; !isThere(); round++) {
      assert.ok(round < 100)
      await this.#round()
    }
    for (const instance of this.instances) {
      instance.beContent()
      this.tell(instance)
    }
  }

  async #round(): Promise<void> {
    for (const instance of this.instances) {
      instance.goWell()
      instance.beContent()
      this.tell(instance)
      instance.look()
    }
    while (this.store.questions.length > 0) await this.settle(0, 'answer')
  }

  /** From here on all goes well, until nothing moves. */
  async conclude(): Promise<void> {
    for (const instance of this.instances) {
      instance.isCut = false
      if (!instance.isAlive) instance.start(this.store)
      this.tell(instance)
    }
    for (let round = 0; this.progress === 'under-way'; round++) {
      assert.ok(round < 100, `it comes to no end: ${JSON.stringify([this.upgrade.goal, this.records().map(({ upgrade }) => upgrade)])}`)
      const { goal, plan } = this.upgrade
      if (goal.is === 'step' && goal.isPaused) this.order('resume')
      else if (goal.is === 'step' && plan.steps[goal.step]?.manual === true) this.order('promote')
      await this.#round()
    }
  }

  records(): readonly InstanceRecord[] {
    return this.store.list(instancesPrefixOf(prefix)).entries.flatMap(({ value }) => readRecord(value) ?? [])
  }

  /** No instance is ahead of the goal. */
  check(): void {
    const hasCommitted = this.#goals.some(({ is }) => is === 'commit')
    const furthest = Math.max(0, ...this.#goals.map((goal) => (goal.is === 'step' ? goal.step : 0)))
    for (const { upgrade, stable, name } of this.instances) {
      if (stable === 'v2') assert.ok(hasCommitted, `${name} has committed alone`)
      if (upgrade?.phase === 'shift' && !hasCommitted) assert.ok(upgrade.step <= furthest, `${name} is ahead`)
    }
  }

  #written(key: string, value: string, by: string): void {
    if (key !== upgradeKeyOf(prefix)) return
    const next = readShared(value)
    assert.ok(next, 'what is written can be read')
    const before = this.#goals.at(-1)
    if (before !== undefined) this.#checkMove(before, next, by)
    this.#goals.push(next.goal)
  }

  #checkMove(before: SharedUpgrade['goal'], { goal, plan, id, to }: SharedUpgrade, by: string): void {
    assert.equal(before.is, 'step', 'commit and rollback are ends')
    if (before.is !== 'step' || goal.is === 'rollback') return
    const following = goal.is === 'step' ? goal.step : plan.steps.length
    assert.ok(following === before.step || following === before.step + 1, `from ${before.step} to ${following}`)
    if (by === person || following === before.step) return
    assert.ok(!before.isPaused && plan.steps[before.step]?.manual === false, 'it waits for a person')
    if (goal.is !== 'commit') return
    for (const { id: name, upgrade, roles } of this.records()) {
      const agrees: boolean =
        upgrade?.id === id ? upgrade.phase === 'shift' && upgrade.step === before.step && upgrade.isMet : roles.stable === to
      assert.ok(agrees, `${name} has not agreed to the commit`)
    }
  }
}
