/** The look-out for a new version that is lost. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { watchCandidate } from '../../src/rollout/candidate-watch.ts'
import type { Place, Upgrade } from '../../src/rollout/upgrade.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { upgradeAt } from './upgrade-fixture.ts'

function watched(first: Upgrade | null) {
  const world = new FakeWorld()
  const state = { upgrade: first, exits: 0, serving: true, lost: 0, lostAfterMs: 10_000 }
  const versions = { exits: () => state.exits, isServing: () => state.serving, whyNotServing: () => 'it is gone' }
  const timer = watchCandidate({
    world,
    versions,
    to: 'v2',
    lostAfterMs: () => state.lostAfterMs,
    running: () => state.upgrade,
    lost: () => {
      state.lost += 1
    },
  })
  return { world, state, timer }
}

const shifting: Place = { phase: 'shift', step: 0, mode: { is: 'running' }, degrades: 0 }

describe('the watch over the candidate', () => {
  test('tells of each end of its process once', () => {
    const { world, state } = watched(upgradeAt(shifting))
    world.advance(200)
    assert.equal(state.lost, 0)
    state.exits = 1
    world.advance(200)
    assert.equal(state.lost, 1)
  })

  test('tells of one that has not served for ten seconds', () => {
    const { world, state } = watched(upgradeAt(shifting))
    world.advance(200)
    state.serving = false
    world.advance(9_900)
    assert.equal(state.lost, 0)
    world.advance(300)
    assert.equal(state.lost, 1)
  })

  test('follows the configured time while it watches', () => {
    const { world, state } = watched(upgradeAt(shifting))
    state.serving = false
    world.advance(900)
    assert.equal(state.lost, 0)
    state.lostAfterMs = 1_000
    world.advance(200)
    assert.equal(state.lost, 1)
  })

  test('waits for ever where that is off, and tells of an end all the same', () => {
    const { world, state } = watched(upgradeAt(shifting))
    state.lostAfterMs = 0
    state.serving = false
    world.advance(60_000)
    assert.equal(state.lost, 0)
    state.exits = 1
    world.advance(200)
    assert.equal(state.lost, 1)
  })

  test('tells of an end that came right after it was meant to serve', () => {
    const { world, state } = watched(upgradeAt({ phase: 'health-check' }))
    world.advance(200)
    state.upgrade = upgradeAt(shifting)
    state.exits = 1
    world.advance(200)
    assert.equal(state.lost, 1)
  })

  test('does not hold against it that it ended while it only started', () => {
    const { world, state } = watched(upgradeAt({ phase: 'health-check' }))
    state.exits = 2
    world.advance(200)
    state.upgrade = upgradeAt(shifting)
    world.advance(200)
    assert.equal(state.lost, 0)
  })

  test('is there still when the upgrade took long to be journaled', () => {
    const { world, state } = watched(null)
    world.advance(500)
    state.upgrade = upgradeAt(shifting)
    world.advance(200)
    state.exits = 1
    world.advance(200)
    assert.equal(state.lost, 1)
  })

  test('says nothing while it only starts, and nothing once it is cancelled', () => {
    const { world, state, timer } = watched(upgradeAt({ phase: 'health-check' }))
    state.exits = 3
    state.serving = false
    world.advance(20_000)
    assert.equal(state.lost, 0)
    timer.cancel()
    state.upgrade = upgradeAt(shifting)
    world.advance(20_000)
    assert.equal(state.lost, 0)
    assert.equal(world.timers, 0)
  })
})
