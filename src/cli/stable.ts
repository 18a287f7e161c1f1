/** `baton stable NAME`: the plain order, without plan and drain. */
import { orderCommand } from './order.ts'

export const command = orderCommand({
  usage: `usage: baton stable NAME

Makes version NAME stable now, all at once. It must serve. "baton upgrade --to NAME" does it with care.`,
  path: '/v1/stable',
  version: true,
  said: (version) => `${version} is stable`,
})
