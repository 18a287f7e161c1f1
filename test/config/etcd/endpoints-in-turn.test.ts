/** Many questions at once, of which each finds the one member that answers. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { EtcdGateway } from '../../../src/config/etcd/gateway.ts'
import { realWorld } from '../../../src/world.ts'
import { startFaultProxy } from '../../kit/fault-proxy.ts'

test('questions asked at once do not push each other past the endpoint that answers', async () => {
  await using stack = new AsyncDisposableStack()
  const server = createServer((request, response) => {
    request.resume()
    response.end('{"header":{"cluster_id":"1","revision":"1"}}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const dead = [stack.use(await startFaultProxy(port)), stack.use(await startFaultProxy(port))]
  for (const proxy of dead) proxy.weather = { is: 'refusing' }
  const endpoints = [...dead.map(({ url }) => url), `http://127.0.0.1:${port}`]
  const store = new EtcdGateway({ endpoints, login: null, tls: null }, { ...realWorld, random: () => 0 })
  stack.defer(() => store.close())
  const answers = await Promise.allSettled(Array.from({ length: 6 }, () => store.get('/shop/config')))
  assert.deepEqual(
    answers.map(({ status }) => status),
    answers.map(() => 'fulfilled'),
  )
})
