/** `baton pause`: the running plan stays where it is. */
import { orderCommand } from './order.ts'

export const command = orderCommand({
  usage: `usage: baton pause

Keeps the running upgrade at its present step, until "baton resume", "baton promote" or "baton rollback".`,
  path: '/v1/pause',
  fleet: 'pause',
})
