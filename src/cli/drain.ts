/** `baton drain NAME`: a version takes no new exchange. */
import { orderCommand } from './order.ts'

export const command = orderCommand({
  usage: `usage: baton drain NAME [--force]

Gives version NAME no new exchange; those under way end on their own, or are cut at the deadline. "baton undrain NAME" takes it back.`,
  path: '/v1/drain',
  version: true,
  force: 'though it is stable',
  said: (version) => `${version} takes no new exchange`,
})
