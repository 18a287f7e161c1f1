/** The inbound over node:http keeps the contract. */
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TimeoutSettings } from '../../../src/config/settings.ts'
import type { Accept } from '../../../src/proxy/inbound/inbound.ts'
import { NodeServer } from '../../../src/proxy/inbound/node.ts'
import { addressSet } from '../../../src/routing/address.ts'
import { type InboundParts, inboundContract, usualLimits } from '../../contract/inbound.ts'
import { RecordedReceiver } from '../../contract/recorded-receiver.ts'
import { FakeWorld } from '../../kit/fake-world.ts'
import { connectRaw } from '../../kit/raw-client.ts'
import { quiet, until } from '../../kit/turns.ts'

const timeouts: TimeoutSettings = {
  connectMs: 1_000,
  headMs: 1_000,
  idleMs: 1_000,
  exchangeMs: 0,
  keepAliveMs: 1_000,
  requestHeadMs: 10_000,
  upstreamKeepAliveMs: 1_000,
}

async function serve({ accept, limits, trustedHops, refused }: InboundParts) {
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
    node,
    port: (node.server.address() as AddressInfo).port,
    connections: () => node.connections.size,
    close: () => new Promise<void>((resolve) => node.server.close(() => resolve())),
  }
}

inboundContract('node:http', serve)

test('a client that was slow to read once may wait in silence for its next response, where keep-alive has no limit', async (t) => {
  const receivers: RecordedReceiver[] = []
  const accept: Accept = (inbound) => {
    const receiver = new RecordedReceiver(inbound)
    receivers.push(receiver)
    return receiver
  }
  const server = await serve({ accept, limits: usualLimits, trustedHops: [], refused: () => {} })
  server.node.useTimeouts({ ...timeouts, keepAliveMs: 0, idleMs: 300 })
  const client = await connectRaw({ port: server.port })
  t.after(async () => {
    client.destroy()
    await server.close()
  })
  client.socket.pause()
  client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => receivers.length === 1, 'the first request is here')
  const inbound = receivers[0]?.inbound
  inbound?.respond(200, 'OK', ['transfer-encoding', 'chunked'], false)
  while (inbound?.write(Buffer.alloc(65_536, 'x')) === true) await quiet(5)
  inbound?.end(null)
  client.socket.resume()
  await until(() => client.received.subarray(-5).toString() === '0\r\n\r\n', 'all of the first response is here')
  client.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => receivers.length === 2, 'the second request is here')
  await new Promise((resolve) => setTimeout(resolve, 600)) // The silence is the input here.
  assert.equal(client.ending, 'open')
})

test('a client that does not take the answer to a request that is refused is cut once idleMs is over', async (t) => {
  const refusals: string[] = []
  const accept: Accept = (inbound) => new RecordedReceiver(inbound)
  const server = await serve({ accept, limits: usualLimits, trustedHops: [], refused: ({ code }) => void refusals.push(code) })
  server.node.useTimeouts({ ...timeouts, idleMs: 100 })
  const client = await connectRaw({ port: server.port })
  t.after(async () => {
    client.destroy()
    await server.close()
  })
  await until(() => server.connections() === 1, 'it is connected')
  client.socket.pause()
  // More than the kernel takes, as the end of a response before it.
  for (const socket of server.node.connections.keys()) socket.write(Buffer.alloc(32 * 1024 * 1024))
  client.send('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')
  await until(() => refusals.length === 1, 'it is refused')
  await until(() => server.connections() === 0, 'it is cut')
  assert.ok(!client.received.includes('400'))
})
