/** `baton promote`: the next step of the running plan. */
import { orderCommand } from './order.ts'

export const command = orderCommand({
  usage: `usage: baton promote

Ends the present step of the running upgrade: its plan goes on to the next one. The last one's end is the commit.`,
  path: '/v1/promote',
})
