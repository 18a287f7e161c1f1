/** `baton upgrade --to NAME`: begins an upgrade, and watches it if asked. */
import { BatonError, exitCode } from '../errors.ts'
import { isOver } from '../rollout/upgrade.ts'
import { adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { command as define } from './command.ts'
import { fleetOptions, fleetUsage, upgradeFleet } from './fleet-upgrade.ts'
import { followUpgrade } from './follow-upgrade.ts'
import { giveOrder } from './order.ts'
import { upgradeLine } from './upgrade-text.ts'

const call = 'usage: baton upgrade --to NAME [--plan NAME] [--wait]'

export const command = define({
  usage: `${call}

Moves stable to another version: brings it up, shifts traffic to it as the plan says, drains the old one and retires it.
Said again while it is under way, it begins nothing new, and --wait joins.

  --to NAME           the version
  --plan NAME         a plan of rollout.plans, or default, at-once, manual; else rollout.plan
  --wait              show its progress until it is over; Ctrl-C ends the watching, not the upgrade
  --json              the answer of the admin API; not with --wait
${fleetUsage}
${adminUsage}

exit code: 0 accepted, or stable already; 1 unreachable; 2 usage, no such version or plan; 4 refused, nothing changed
with --wait: 0 done; 1 failed, or done with exchanges that failed meanwhile; 3 rolled back; 5 frozen, until a person acts`,
  options: {
    ...adminOptions,
    ...fleetOptions,
    to: { type: 'string' },
    plan: { type: 'string' },
    wait: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  positionals: [],
  async run(values, _positionals, context) {
    const { to, plan, wait, json } = values
    if (to === undefined || to === '') throw new BatonError('usage', `--to NAME is missing; ${call}`)
    if (wait && json) throw new BatonError('usage', `--wait and --json exclude each other; ${call}`)
    if (values.fleet) {
      return await upgradeFleet(values.config, call, { to, plan: plan ?? null, wait: wait === true, json: json === true }, context)
    }
    const address = adminAddress(values, context.world)
    const ordered = await giveOrder(address, '/v1/upgrade', { to, ...(plan === undefined ? {} : { plan }) })
    const { upgrade } = ordered
    const isUnderWay = upgrade !== null && upgrade.to === to && (ordered.is === 'accepted' || !isOver(upgrade))
    if (wait && isUnderWay) return await followUpgrade(upgrade, address, context)
    const text = isUnderWay ? upgradeLine(upgrade, context.world.now()) : `nothing to do: ${to} is stable`
    context.print(json ? `${JSON.stringify(ordered)}\n` : `${text}\n`)
    return exitCode.done
  },
})
