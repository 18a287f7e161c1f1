/** `baton promote`: the next step of the running plan. */
import type { AdminAddress } from './admin-address.ts'
import { ask } from './admin-client.ts'
import { orderCommand } from './order.ts'
import { upgradeIn } from './upgrade-text.ts'

export const command = orderCommand({
  usage: `usage: baton promote

Ends the present step of the running upgrade: its plan goes on to the next one. The last one's end is the commit.
Where somebody else has just ended that step, it changes nothing.`,
  path: '/v1/promote',
  fleet: 'promote',
  besides: presentStep,
})

/** Two who promote at once mean the same step, and must not end the next one too. */
async function presentStep(address: AdminAddress): Promise<object> {
  const upgrade = upgradeIn(await ask(address, { method: 'GET', path: '/v1/status' }))
  return upgrade?.phase === 'shift' ? { step: upgrade.step } : {}
}
