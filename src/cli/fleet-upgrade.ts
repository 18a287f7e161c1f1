/** `--fleet` of the commands about an upgrade: the fleet's, in etcd, in place of the running baton's own. */
import { type ExitCode, exitCode } from '../errors.ts'
import { beginUpgrade, type FleetOrder, type Ordered, orderUpgrade } from '../fleet/commands.ts'
import { isAtEnd, type Progress, progressOf } from '../fleet/lockstep.ts'
import type { InstanceRecord } from '../fleet/record.ts'
import { readRoster } from '../fleet/roster.ts'
import type { SharedUpgrade } from '../fleet/shared-upgrade.ts'
import { readUpgrade } from '../fleet/upgrade-log.ts'
import { newUpgradeId } from '../rollout/upgrade-id.ts'
import { pause } from '../world.ts'
import type { Context } from './command.ts'
import { type Shared, withEtcd } from './etcd-option.ts'
import { operatorName } from './operator.ts'
import { patiently } from './patiently.ts'

export const fleetOptions = { fleet: { type: 'boolean' }, config: { type: 'string', short: 'c' } } as const

export const fleetUsage = `  --fleet -c FILE     the upgrade of all instances that share a configuration in etcd; FILE's bootstrap half says where`

const lookMs = 500

export interface Begin {
  readonly to: string
  readonly plan: string | null
  readonly wait: boolean
  readonly json: boolean
}

export async function upgradeFleet(file: string | undefined, call: string, begin: Begin, context: Context): Promise<ExitCode> {
  const { world, print } = context
  return await withEtcd(file, call, world, async (shared) => {
    const { to, plan, wait, json } = begin
    const id = newUpgradeId(world.now(), () => world.random())
    const ordered = await beginUpgrade(shared.store, shared.prefix, { to, plan, id, now: world.now() })
    if (ordered !== null && wait) return await followFleet(shared, ordered.upgrade.id, context)
    print(json ? `${JSON.stringify(ordered)}\n` : `${ordered === null ? `nothing to do: ${to} is stable` : goalLine(ordered.upgrade)}\n`)
    return exitCode.done
  })
}

export async function orderFleet(
  file: string | undefined,
  call: string,
  order: FleetOrder,
  json: boolean,
  { world, print }: Context,
): Promise<ExitCode> {
  return await withEtcd(file, call, world, async ({ store, prefix }) => {
    const ordered = await orderUpgrade(store, prefix, order, operatorName(), world.now())
    print(json ? `${JSON.stringify(ordered)}\n` : orderedText(ordered))
    return exitCode.done
  })
}

function orderedText({ is, upgrade }: Ordered): string {
  return is === 'unchanged' ? `nothing to do: ${goalLine(upgrade)}\n` : `${goalLine(upgrade)}\n`
}

/** Until nothing moves any more; etcd may go away and come back meanwhile. @throws BatonError `unreachable` once it has not answered for long. */
async function followFleet({ store, prefix }: Shared, id: string, { world, print, isScreen }: Context): Promise<ExitCode> {
  for (let told = ''; ; await pause(world, lookMs)) {
    const { upgrade } = await patiently(() => readUpgrade(store, prefix), world)
    if (upgrade === null || upgrade.id !== id) {
      print(`${told === '' || !isScreen ? '' : '\n'}${id} has given way to another upgrade\n`)
      return exitCode.unfinished
    }
    const { instances } = await patiently(() => readRoster(store, prefix), world)
    const progress = progressOf(upgrade, instances)
    const line = fleetLine(upgrade, instances, progress)
    if (line !== told) print(isScreen ? `\r\u001b[K${line}` : `${line}\n`)
    told = line
    if (progress === 'under-way') continue
    print(`${isScreen ? '\n' : ''}${endText(upgrade, instances, progress)}`)
    return endOf(progress)
  }
}

function endOf(progress: Exclude<Progress, 'under-way'>): ExitCode {
  switch (progress) {
    case 'done':
      return exitCode.done
    case 'rolled-back':
      return exitCode.rolledBack
    case 'apart':
      return exitCode.unfinished
  }
}

/** `upg-20261124-ab12  v1 → v2  step 2 of 5: 10 %` */
function goalLine({ id, from, to, goal, plan }: SharedUpgrade): string {
  return `${id}  ${from} → ${to}  ${goalText(goal, plan)}`
}

function goalText(goal: SharedUpgrade['goal'], { steps }: SharedUpgrade['plan']): string {
  switch (goal.is) {
    case 'step':
      return `step ${goal.step + 1} of ${steps.length}: ${steps[goal.step]?.weight ?? 0} %${goal.isPaused ? ', paused' : ''}`
    case 'commit':
      return 'committed'
    case 'rollback':
      return `goes back, demanded by ${goal.by}: ${goal.why}`
  }
}

function fleetLine(upgrade: SharedUpgrade, instances: readonly InstanceRecord[], progress: Progress): string {
  const away = instances.filter((instance) => !isThere(upgrade, instance)).map(({ id }) => id)
  const { goal } = upgrade
  const met = goal.is === 'step' ? `, ${instances.filter((one) => isThere(upgrade, one) && one.upgrade?.isMet).length} content` : ''
  const waits =
    away.length === 0 || progress !== 'under-way' ? '' : `, not ${away.slice(0, 3).join(', ')}${away.length > 3 ? ' and others' : ''}`
  return `${goalLine(upgrade)}  there: ${instances.length - away.length} of ${instances.length}${met}${waits}`
}

function isThere(shared: SharedUpgrade, instance: InstanceRecord): boolean {
  const { goal, id } = shared
  if (goal.is !== 'step') return isAtEnd(shared, instance)
  const { upgrade } = instance
  return upgrade?.id === id && upgrade.phase === 'shift' && upgrade.step === goal.step
}

/** Who has not come where the others are, and why. */
function endText(upgrade: SharedUpgrade, instances: readonly InstanceRecord[], progress: Progress): string {
  if (progress !== 'apart') return ''
  return instances
    .filter((instance) => !isAtEnd(upgrade, instance))
    .map(
      ({ id, roles, upgrade: own }) =>
        `${id} is not there: stable is ${roles.stable}, ${own?.phase ?? 'no upgrade'}, ${own?.why ?? 'no reason given'}\n`,
    )
    .join('')
}
