/** `baton rollback`: back to the version from before. */
import { orderCommand } from './order.ts'

export const command = orderCommand({
  usage: `usage: baton rollback

Takes the running upgrade back. After it is done: back to the old version, as long as that is kept as a warm spare.`,
  path: '/v1/rollback',
  fleet: 'rollback',
  said: (_, upgrade) => (upgrade?.phase === 'done' ? `${upgrade.from} is stable again` : null),
})
