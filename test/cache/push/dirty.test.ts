import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Dirty } from '../../../src/cache/push/dirty.ts'

function taken(dirty: Dirty): string[] {
  const names: string[] = []
  for (let next = dirty.take(); next !== null; next = dirty.take()) names.push(next.name)
  return names
}

function following(...held: string[]): Dirty {
  const dirty = new Dirty(held)
  dirty.start()
  dirty.takeClear()
  taken(dirty)
  return dirty
}

describe('what an app has to be told', () => {
  test('a start clears the app and tells it every name that is held', () => {
    const dirty = new Dirty(['a', 'b'])
    dirty.changed('c', true)
    dirty.changed('a', false)
    dirty.start()
    assert.equal(dirty.takeClear(), true)
    assert.equal(dirty.takeClear(), false)
    assert.equal(dirty.size, 2)
    assert.deepEqual(taken(dirty), ['b', 'c'])
    assert.ok(dirty.isEmpty)
  })

  test('a name takes one place, however often it changes', () => {
    const dirty = following('a', 'b')
    for (const name of ['a', 'b', 'a', 'a']) dirty.changed(name, true)
    assert.equal(dirty.size, 2)
    assert.deepEqual(taken(dirty), ['a', 'b'])
  })

  test('what the app may hold otherwise is owed and comes before what it lacks', () => {
    const dirty = following('a', 'b', 'c')
    dirty.changed('new', true)
    dirty.lacks('c')
    assert.equal(dirty.owed, 0)
    dirty.changed('a', true)
    dirty.changed('b', false)
    assert.equal(dirty.owed, 2)
    assert.deepEqual(taken(dirty), ['a', 'b', 'new', 'c'])
  })

  test('what changes while everything is told is told: behind the walk as owed, new names by the walk', () => {
    const dirty = new Dirty(['a', 'b', 'c'])
    dirty.start()
    assert.equal(dirty.take()?.name, 'a')
    dirty.changed('a', false)
    dirty.changed('d', true)
    dirty.changed('c', false)
    assert.deepEqual(taken(dirty), ['a', 'c', 'b', 'd'])
  })

  test('what had no place comes first of its kind', () => {
    const dirty = new Dirty(['a', 'b'])
    dirty.start()
    const first = dirty.take()
    assert.ok(first)
    dirty.giveBack(first)
    assert.equal(dirty.isEmpty, false)
    assert.deepEqual(taken(dirty), ['a', 'b'])
  })

  test('a flush is a clear, and nothing else is owed', () => {
    const dirty = following('a', 'b')
    dirty.changed('a', true)
    dirty.cleared()
    dirty.changed('z', true)
    assert.equal(dirty.owed, 1)
    assert.equal(dirty.takeClear(), true)
    assert.deepEqual(taken(dirty), ['z'])
  })

  test('while nobody is told nothing is kept but the names', () => {
    const dirty = following('a')
    dirty.stop()
    dirty.changed('b', true)
    dirty.lacks('a')
    dirty.cleared()
    dirty.changed('c', true)
    assert.equal(dirty.size, 0)
    dirty.start()
    assert.deepEqual(taken(dirty), ['c'])
  })

  test('a hundred thousand names are taken one by one in no time', () => {
    const names = Array.from({ length: 100_000 }, (_, at) => `k:${at}`)
    const dirty = following(...names)
    for (const name of names) dirty.changed(name, true)
    assert.deepEqual(taken(dirty), names)
  })
})
