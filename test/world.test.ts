import assert from 'node:assert/strict'
import { test } from 'node:test'
import { steady, type World } from '../src/world.ts'
import { FakeWorld } from './kit/fake-world.ts'

test('a steady clock begins with the wall clock, and lasts as the monotonic one does, wherever the wall clock is set', () => {
  const fake = new FakeWorld()
  let jumpMs = 0
  const outside: World = {
    now: () => fake.now() + jumpMs,
    elapsed: () => fake.elapsed(),
    after: (delayMs, run) => fake.after(delayMs, run),
    every: (periodMs, run) => fake.every(periodMs, run),
    random: () => fake.random(),
    env: fake.env,
    pid: fake.pid,
    platform: fake.platform,
    onSignal: (signal, run) => fake.onSignal(signal, run),
  }
  const world = steady(outside)
  const began = outside.now()
  assert.equal(world.now(), began)
  jumpMs = 3_600_000
  fake.advance(2_000)
  assert.deepEqual([world.now() - began, outside.now() - began], [2_000, 3_602_000])
  jumpMs = -3_600_000
  fake.advance(1_000)
  assert.deepEqual([world.now() - began, world.elapsed()], [3_000, fake.elapsed()])
  let ran = 0
  world.after(10, () => (ran += 1))
  world.every(10, () => (ran += 1)).cancel()
  fake.advance(10)
  assert.equal(ran, 1)
})
