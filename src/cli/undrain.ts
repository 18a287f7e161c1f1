/** `baton undrain NAME`: a drained version takes exchanges again. */
import { orderCommand } from './order.ts'

export const command = orderCommand({
  usage: `usage: baton undrain NAME

Lets version NAME, drained or retired, take exchanges again; a retired one is started first.`,
  path: '/v1/undrain',
  version: true,
  said: (version) => `${version} takes exchanges`,
})
