/** `baton fleet`: the instances that share a configuration. */
import { exitCode } from '../errors.ts'
import type { InstanceRecord } from '../fleet/record.ts'
import { readRoster } from '../fleet/roster.ts'
import { age } from './age.ts'
import { command as define } from './command.ts'
import { configOption } from './config-option.ts'
import { etcdUsage, withEtcd } from './etcd-option.ts'
import { table } from './table.ts'

const call = 'usage: baton fleet -c FILE [--json]'

export const command = define({
  usage: `${call}

Lists the instances that live, as they tell of themselves in etcd. One that has ended is gone, or will be within 15 s.

${etcdUsage}
  --json              their records

exit code: 0 shown; 1 etcd cannot be reached, or denies it; 2 usage`,
  options: { ...configOption, json: { type: 'boolean' } },
  positionals: [],
  async run(values, _positionals, { world, print }) {
    return await withEtcd(values.config, call, world, async ({ store, prefix }) => {
      const { instances, unknown } = await readRoster(store, prefix)
      print(values.json ? `${JSON.stringify({ instances, unknown })}\n` : fleetText(instances, unknown, world.now()))
      return exitCode.done
    })
  },
})

function fleetText(instances: readonly InstanceRecord[], unknown: readonly string[], now: number): string {
  const rows = instances.map((instance) => [
    instance.id,
    String(instance.revision),
    instance.roles.stable,
    instance.roles.candidate ?? '-',
    instance.upgrade === null ? '-' : `${instance.upgrade.id} ${instance.upgrade.phase}`,
    instance.build,
    age(now - instance.startedAt),
    healthOf(instance),
  ])
  const shown =
    rows.length === 0 ? 'no instance\n' : table(['INSTANCE', 'REVISION', 'STABLE', 'CANDIDATE', 'UPGRADE', 'BATON', 'UP', 'HEALTH'], rows)
  return `${shown}${unknown.map((key) => `${key}: a record that this build does not understand\n`).join('')}`
}

function healthOf({ whyNotReady, refused, stale }: InstanceRecord): string {
  const words = [
    whyNotReady === null ? 'ready' : `not ready (${whyNotReady})`,
    ...(refused === null ? [] : [`refused revision ${refused.revision}: ${refused.faults[0] ?? ''}`]),
    ...(stale === null ? [] : [`stale: ${stale}`]),
  ]
  return words.join('; ')
}
