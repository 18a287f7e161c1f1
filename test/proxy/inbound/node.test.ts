/** The inbound over node:http keeps the contract. */
import type { AddressInfo } from 'node:net'
import { NodeServer } from '../../../src/proxy/inbound/node.ts'
import { addressSet } from '../../../src/routing/address.ts'
import { inboundContract } from '../../contract/inbound.ts'
import { FakeWorld } from '../../kit/fake-world.ts'

inboundContract('node:http', async ({ accept, limits, trustedHops, refused }) => {
  const hops = addressSet(trustedHops)
  const node = new NodeServer({
    world: new FakeWorld(),
    accept,
    refused,
    limits: () => limits,
    trustedHops: () => hops,
    connected: () => {},
  })
  await new Promise<void>((resolve) => node.server.listen(0, '127.0.0.1', resolve))
  return {
    port: (node.server.address() as AddressInfo).port,
    connections: () => node.connections.size,
    close: () => new Promise<void>((resolve) => node.server.close(() => resolve())),
  }
})
