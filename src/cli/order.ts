/** The one shape of a command that gives the running baton an order and says what became of it. */
import { exitCode } from '../errors.ts'
import type { FleetOrder } from '../fleet/commands.ts'
import type { Upgrade } from '../rollout/upgrade.ts'
import { type AdminAddress, adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { ask } from './admin-client.ts'
import { notUnderstood, part } from './answer.ts'
import { type Command, command as define } from './command.ts'
import { fleetOptions, fleetUsage, orderFleet } from './fleet-upgrade.ts'
import { isUpgrade, upgradeLine } from './upgrade-text.ts'

export interface Ordered {
  /** `unchanged`: it was so already. */
  readonly is: 'accepted' | 'unchanged'
  /** The one under way, or the last one. */
  readonly upgrade: Upgrade | null
}

export interface OrderSpec {
  /** Its call, an empty line, and what it does. */
  readonly usage: string
  readonly path: string
  /** The order is about one version, its argument. */
  readonly version?: true
  /** What the order says besides, as the running baton tells it before. */
  besides?(address: AdminAddress): Promise<object>
  /** What `--force` does; without it there is no such option. */
  readonly force?: string
  /** Given to a fleet as well, with --fleet. */
  readonly fleet?: FleetOrder
  /** What is so now; the upgrade's line where it says nothing. */
  said?(version: string, upgrade: Upgrade | null): string | null
}

const orderExits = 'exit code: 0 done, or so already; 1 unreachable; 2 usage, or no such version; 4 refused, nothing changed'

export function orderCommand(spec: OrderSpec): Command {
  const { usage, path, said } = spec
  const forced = spec.force === undefined ? '' : `  --force             ${spec.force}\n`
  const led = spec.fleet === undefined ? '' : `${fleetUsage}\n`
  return define({
    usage: `${usage}\n\n${forced}  --json              the answer of the admin API\n${led}${adminUsage}\n\n${orderExits}`,
    options: {
      ...adminOptions,
      json: { type: 'boolean' },
      ...(spec.force === undefined ? {} : { force: { type: 'boolean' } }),
      ...(spec.fleet === undefined ? {} : fleetOptions),
    },
    positionals: spec.version === true ? ['NAME'] : [],
    async run(values, [version = ''], context) {
      const { world, print } = context
      if (spec.fleet !== undefined && 'fleet' in values && values.fleet === true) {
        const file = typeof values.config === 'string' ? values.config : undefined
        return await orderFleet(file, usage.split('\n', 1)[0] ?? '', spec.fleet, values.json === true, context)
      }
      const force = 'force' in values && values.force === true
      const address = adminAddress(values, world)
      const words = spec.version === true ? { version, ...(force ? { force } : {}) } : {}
      const ordered = await giveOrder(address, path, { ...words, ...(await spec.besides?.(address)) })
      print(
        values.json === true ? `${JSON.stringify(ordered)}\n` : orderedText(ordered, said?.(version, ordered.upgrade) ?? null, world.now()),
      )
      return exitCode.done
    },
  })
}

/** @throws BatonError `refused`, `usage` for what is not there, `unreachable`. */
export async function giveOrder(address: AdminAddress, path: string, body: object): Promise<Ordered> {
  const answer = await ask(address, { method: 'POST', path, body })
  const upgrade = part(answer, 'upgrade')
  if (upgrade !== null && !isUpgrade(upgrade)) throw notUnderstood('upgrade')
  return { is: part(answer, 'is') === 'unchanged' ? 'unchanged' : 'accepted', upgrade }
}

function orderedText({ is, upgrade }: Ordered, said: string | null, now: number): string {
  const text = said ?? (upgrade === null ? 'done' : upgradeLine(upgrade, now))
  return is === 'unchanged' ? `nothing to do: ${text}\n` : `${text}\n`
}
