/** A version's host name is followed: real look-ups of names that every machine has. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Resolution, Resolver } from '../../src/upstream/resolver.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { quiet, until } from '../kit/turns.ts'

function create(host: string, allowed: (address: string) => boolean = () => true) {
  const world = new FakeWorld()
  const heard: Resolution[] = []
  const resolver = new Resolver(host, { world, periodMs: 5_000, allowed, resolved: (resolution) => void heard.push(resolution) })
  /** So many look-ups have ended. */
  const looked = (count: number) => until(() => heard.length === count, `${count} look-ups; ${JSON.stringify(heard)}`)
  return { world, heard, resolver, looked }
}

test('an address is taken as it is, at once and once', () => {
  for (const address of ['127.0.0.1', '::1']) {
    const { world, heard, resolver } = create(address)
    resolver.start()
    assert.deepEqual([heard, world.timers], [[{ is: 'moved', address }], 0])
  }
})

test('an address that is not allowed is refused', () => {
  const { heard, resolver } = create('169.254.169.254', () => false)
  resolver.start()
  assert.deepEqual(heard, [{ is: 'refused', address: '169.254.169.254' }])
})

test('a name is looked up again after each period, and the same address is no move', async () => {
  const { world, heard, resolver, looked } = create('localhost')
  resolver.start()
  await looked(1)
  assert.match(heard[0]?.is === 'moved' ? heard[0].address : '', /^(127\.0\.0\.1|::1)$/)
  await until(() => world.timers === 1, 'the next look-up is set')
  world.advance(5_000)
  await looked(2)
  assert.deepEqual(heard[1], { is: 'same' })
  resolver.stop()
})

test('of several addresses the first that is allowed is taken', async () => {
  const { heard, resolver, looked } = create('localhost', (address) => address === '127.0.0.1')
  resolver.start()
  await looked(1)
  assert.deepEqual(heard, [{ is: 'moved', address: '127.0.0.1' }])
  resolver.stop()
})

test('a name that leads where baton may not go is refused, whatever it led to before', async () => {
  const { heard, resolver, looked } = create('localhost', () => false)
  resolver.start()
  await looked(1)
  assert.equal(heard[0]?.is, 'refused')
  resolver.stop()
})

test('a name that cannot be found is told with its code, and looked up again', async () => {
  const { world, heard, resolver, looked } = create('nowhere.invalid')
  resolver.start()
  await looked(1)
  assert.equal(heard[0]?.is, 'failed')
  assert.match(heard[0]?.is === 'failed' ? heard[0].reason : '', /^E[A-Z_]+$/)
  await until(() => world.timers === 1, 'the next look-up is set')
  world.advance(5_000)
  await looked(2)
  resolver.stop()
})

test('stopped, it says nothing more and sets no timer', async () => {
  const { world, heard, resolver } = create('localhost')
  resolver.start()
  resolver.stop()
  await quiet(200)
  assert.deepEqual([heard, world.timers], [[], 0])
})
