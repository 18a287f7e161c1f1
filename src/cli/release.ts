/** `baton release`: requests that wait go on. */
import { orderCommand } from './order.ts'

export const command = orderCommand({
  usage: `usage: baton release

Lets the requests that "baton hold" kept go on, the oldest first.`,
  path: '/v1/release',
  said: () => 'requests go on',
})
