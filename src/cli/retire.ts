/** `baton retire NAME`: a version is drained and its process stopped. */
import { orderCommand } from './order.ts'

export const command = orderCommand({
  usage: `usage: baton retire NAME [--force]

Drains version NAME, and stops its process. "baton undrain NAME", or an upgrade to it, starts it again.`,
  path: '/v1/retire',
  version: true,
  force: 'though it is stable',
  said: (version) => `${version} is retired once it is drained`,
})
