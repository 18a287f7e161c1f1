/** `baton hold`: new requests wait. */
import { orderCommand } from './order.ts'

export const command = orderCommand({
  usage: `usage: baton hold

Lets new requests wait, in bounds, until "baton release".`,
  path: '/v1/hold',
  said: () => 'new requests are held',
})
