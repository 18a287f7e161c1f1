/** `--fleet` of the commands about an upgrade: the fleet's, in etcd, in place of the running baton's own. */
import { hostname, userInfo } from 'node:os'
import { type ExitCode, exitCode } from '../errors.ts'
import { beginUpgrade, type FleetOrder, type Ordered, orderUpgrade } from '../fleet/commands.ts'
import { type Progress, progressOf } from '../fleet/lockstep.ts'
import type { InstanceRecord } from '../fleet/record.ts'
import { readRoster } from '../fleet/roster.ts'
import type { SharedUpgrade } from '../fleet/shared-upgrade.ts'
import { readUpgrade } from '../fleet/upgrade-log.ts'
import { newUpgradeId } from '../rollout/upgrade-id.ts'
import { pause } from '../world.ts'
import type { Context } from './command.ts'
import { type Shared, withEtcd } from './etcd-option.ts'

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
    const ordered = await orderUpgrade(store, prefix, order, `${userInfo().username}@${hostname()}`, world.now())
    print(json ? `${JSON.stringify(ordered)}\n` : orderedText(ordered))
    return exitCode.done
  })
}

function orderedText({ is, upgrade }: Ordered): string {
  return is === 'unchanged' ? `nothing to do: ${goalLine(upgrade)}\n` : `${goalLine(upgrade)}\n`
}

/** Until nothing moves any more. */
async function followFleet({ store, prefix }: Shared, id: string, { world, print, isScreen }: Context): Promise<ExitCode> {
  // Timers alone do not keep a process alive.
  const alive = new MessageChannel()
  alive.port1.ref()
  try {
    for (let told = ''; ; await pause(world, lookMs)) {
      const { upgrade } = await readUpgrade(store, prefix)
      if (upgrade === null || upgrade.id !== id) {
        print(`${told === '' || !isScreen ? '' : '\n'}${id} has given way to another upgrade\n`)
        return exitCode.unfinished
      }
      const { instances } = await readRoster(store, prefix)
      const progress = progressOf(upgrade, instances)
      const line = fleetLine(upgrade, instances, progress)
      if (line !== told) print(isScreen ? `\r\u001b[K${line}` : `${line}\n`)
      told = line
      if (progress === 'under-way') continue
      print(`${isScreen ? '\n' : ''}${endText(upgrade, instances, progress)}`)
      return endOf(progress)
    }
  } finally {
    alive.port1.close()
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
  const own = instances.map((instance) => (instance.upgrade?.id === upgrade.id ? instance.upgrade : null))
  const { goal } = upgrade
  const isThere = (one: (typeof own)[number]): boolean => {
    if (goal.is === 'step') return one?.phase === 'shift' && one.step === goal.step
    return one !== null && one.phase === (goal.is === 'commit' ? 'done' : 'rolled-back')
  }
  const there = own.filter(isThere).length
  const met = goal.is === 'step' ? `, ${own.filter((one) => isThere(one) && one?.isMet).length} content` : ''
  return `${goalLine(upgrade)}  there: ${there} of ${instances.length}${progress === 'under-way' ? met : ''}`
}

/** Who has not come where the others are, and why. */
function endText({ to, goal }: SharedUpgrade, instances: readonly InstanceRecord[], progress: Progress): string {
  if (progress !== 'apart') return ''
  const away = instances.filter(({ roles, upgrade }) => goal.is === 'commit' && (roles.stable !== to || upgrade?.isFrozen === true))
  return away
    .map(({ id, upgrade }) => `${id} is not there: ${upgrade?.phase ?? 'no upgrade'}, ${upgrade?.why ?? 'no reason given'}\n`)
    .join('')
}
