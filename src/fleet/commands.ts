/** What people order of a fleet's upgrade. Each is one compare-and-swap of its key; said twice it happens once. */
import { configKeyOf, nameOf } from '../config/etcd/keys.ts'
import type { Store, Unchanged } from '../config/etcd/store.ts'
import { parseDynamic } from '../config/parse.ts'
import type { Dynamic, PlanSettings } from '../config/settings.ts'
import { BatonError } from '../errors.ts'
import type { VersionName } from '../routing/route.ts'
import { ConfigLog, type Revision } from './config-log.ts'
import { isOver, progressOf, stepAfter } from './lockstep.ts'
import type { InstanceRecord } from './record.ts'
import { type Roster, readRoster } from './roster.ts'
import { type Goal, lineOf, type SharedUpgrade } from './shared-upgrade.ts'
import { moveUpgrade, readUpgrade } from './upgrade-log.ts'

export type FleetOrder = 'promote' | 'pause' | 'resume' | 'rollback'

export interface Ordered {
  /** `unchanged`: it was so already. */
  readonly is: 'accepted' | 'unchanged'
  readonly upgrade: SharedUpgrade
}

type FleetStore = Pick<Store, 'get' | 'list' | 'commit'>

export interface Wanted {
  readonly to: VersionName
  /** Null: the configured one. */
  readonly plan: string | null
  /** Its name, if it begins. */
  readonly id: string
  /** ms since the epoch */
  readonly now: number
}

/** Moves tried before somebody else who moves it all the time is given up on. */
const tries = 10

/** @throws BatonError `refused`, `usage` for what is not configured, `unreachable`. Null: `to` is stable already. */
export async function beginUpgrade(store: FleetStore, prefix: string, { to, plan, id, now }: Wanted): Promise<Ordered | null> {
  const roster = await readRoster(store, prefix)
  const found = await readUpgrade(store, prefix)
  if (found.isForeign) throw refused('there is an upgrade in etcd that this build does not understand')
  const present = found.upgrade
  if (present !== null && progressOf(present, roster.instances) === 'under-way') {
    if (present.to === to) return { is: 'unchanged', upgrade: present }
    throw refused(`upgrade ${present.id} from ${present.from} to ${present.to} is under way`)
  }
  const { dynamic, unchanged } = await configurationOf(store, prefix, roster)
  const from = stableOf(roster.instances)
  if (!Object.hasOwn(dynamic.versions, to))
    throw new BatonError('usage', `there is no version ${to}; there is ${Object.keys(dynamic.versions).join(', ')}`)
  if (from === to) return null
  refuseBusy(roster.instances)
  refuseElsewhere(dynamic.stable, from, to)
  const next: SharedUpgrade = {
    id,
    from,
    to,
    plan: planOf(dynamic, plan),
    configRevision: unchanged.revision,
    configuredStable: dynamic.stable,
    isSuperseded: false,
    goal: { is: 'step', step: 0, isPaused: false },
    beganAt: now,
    movedAt: now,
  }
  if (await moveUpgrade(store, prefix, next, found.revision, [unchanged])) return { is: 'accepted', upgrade: next }
  throw refused('somebody else has just begun an upgrade, or written a configuration')
}

/** `by` is told where it goes back. @throws BatonError `refused`, `unreachable`. */
export async function orderUpgrade(store: FleetStore, prefix: string, order: FleetOrder, by: string, now: number): Promise<Ordered> {
  let meant: number | null = null
  for (let turn = 0; turn < tries; turn++) {
    const { upgrade, revision } = await readUpgrade(store, prefix)
    if (upgrade === null) throw refused('the fleet has no upgrade')
    if (upgrade.goal.is === 'step') meant ??= upgrade.goal.step
    const goal = goalAfter(upgrade, order, by, meant)
    if (goal === null) return { is: 'unchanged', upgrade }
    const next = { ...upgrade, goal, movedAt: now }
    if (await moveUpgrade(store, prefix, next, revision)) return { is: 'accepted', upgrade: next }
  }
  throw refused('the upgrade moves all the time; try again')
}

/** Null: it is so already. `meant` is the step that a promote ends. */
function goalAfter({ id, goal, plan }: SharedUpgrade, order: FleetOrder, by: string, meant: number | null): Goal | null {
  if (goal.is === 'rollback') {
    if (order === 'rollback') return null
    throw refused(`upgrade ${id} goes back: ${goal.why}`)
  }
  if (goal.is === 'commit') {
    if (order === 'promote') return null
    throw refused(`upgrade ${id} is committed; "baton upgrade --fleet --to" the old version goes back`)
  }
  switch (order) {
    case 'promote':
      return meant !== null && goal.step > meant ? null : stepAfter(goal, plan.steps.length)
    case 'pause':
      return goal.isPaused ? null : { ...goal, isPaused: true }
    case 'resume':
      return goal.isPaused ? { ...goal, isPaused: false } : null
    case 'rollback':
      return { is: 'rollback', by: lineOf(by), why: lineOf(`ordered by ${by}`), evidence: null }
  }
}

interface Configured {
  readonly dynamic: Dynamic
  /** Holds while it is the one in etcd. */
  readonly unchanged: Extract<Unchanged, { readonly key: string }>
}

/** The one that every instance runs. */
async function configurationOf(store: FleetStore, prefix: string, { instances, unknown }: Roster): Promise<Configured> {
  if (unknown.length > 0) throw refused(`${unknown[0]} is an instance of another build of baton, which cannot be led`)
  const [first] = instances
  if (first === undefined) throw refused('no instance lives')
  const current = await new ConfigLog(store, prefix).current()
  if (current === null) throw refused('there is no configuration in etcd, so each instance has its own: baton config put FILE')
  const apart = instances.find((instance) => instance.revision !== current.revision)
  if (apart !== undefined) throw refused(whyApart(apart, current))
  const key = configKeyOf(prefix)
  return { dynamic: parseDynamic(current.text, nameOf(key), first.limits), unchanged: { key, revision: current.revision } }
}

function whyApart({ id, revision, refused: faults }: InstanceRecord, current: Revision): string {
  const why = faults?.revision === current.revision ? `, and has refused that: ${faults.faults[0] ?? ''}` : ''
  return `${id} runs revision ${revision} of the configuration, not ${current.revision}${why}`
}

function stableOf(instances: readonly InstanceRecord[]): VersionName {
  const [first] = instances
  const other = instances.find(({ roles }) => roles.stable !== first?.roles.stable)
  if (first !== undefined && other === undefined) return first.roles.stable
  throw refused(`${first?.id} has ${first?.roles.stable} as stable, ${other?.id} has ${other?.roles.stable}`)
}

function refuseBusy(instances: readonly InstanceRecord[]): void {
  const busy = instances.find(({ upgrade }) => upgrade !== null && !isOver(upgrade))
  if (busy !== undefined) throw refused(`${busy.id} is still in upgrade ${busy.upgrade?.id}, which has come to ${busy.upgrade?.phase}`)
}

/** An instance that starts anew begins with the configured one, and could neither walk from `from` nor be at `to`. */
function refuseElsewhere(configured: VersionName, from: VersionName, to: VersionName): void {
  if (configured === from || configured === to) return
  throw refused(`the configuration says stable: ${configured}, where an instance that starts anew would begin; put stable: ${from} first`)
}

function planOf({ rollout }: Dynamic, name: string | null): PlanSettings {
  const wanted = name ?? rollout.plan
  const plan = Object.hasOwn(rollout.plans, wanted) ? rollout.plans[wanted] : undefined
  if (plan === undefined) throw new BatonError('usage', `there is no plan ${wanted}; there is ${Object.keys(rollout.plans).join(', ')}`)
  if (plan.strategy === 'exclusive')
    throw refused(`the plan ${wanted} is exclusive: instances that go one step at a time would serve both versions`)
  return plan
}

function refused(reason: string): BatonError {
  return new BatonError('refused', `refused: ${reason}`)
}
