import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Entry, Payload } from '../../src/cache/entry.ts'
import { bytesOf, keyOf, nameOf } from '../../src/cache/entry.ts'
import { View } from '../../src/cache/view.ts'

const absent: Payload = { is: 'absent' }

function string(value: string): Payload {
  return { is: 'string', value: Buffer.from(value) }
}

function entry(payload: Payload, bytes = 100): Entry {
  return { payload, readAt: 0, expiresAt: Number.POSITIVE_INFINITY, deadline: Number.POSITIVE_INFINITY, bytes }
}

function viewOf(bytes: number, absentBytes = bytes): { view: View; changes: string[] } {
  const view = new View('v1', { bytes, absentBytes })
  const changes: string[] = []
  view.onChange = (name, isHeld) => changes.push(`${isHeld ? '+' : '-'}${name}`)
  return { view, changes }
}

describe('a view', () => {
  test('drops what was used last longest ago when its budget is spent, and tells of it', () => {
    const { view, changes } = viewOf(300)
    for (const name of ['a', 'b', 'c']) view.put(name, entry(string('v')))
    view.get('a')
    view.put('d', entry(string('v')))
    assert.deepEqual([...view.names()], ['d', 'a', 'c'])
    assert.deepEqual(changes, ['+a', '+b', '+c', '-b', '+d'])
    assert.deepEqual([view.evictions, view.keys, view.bytes], [1, 3, 300])
  })

  test('keeps nothing of what is missing where that has no budget, and says so', () => {
    const { view, changes } = viewOf(300, 0)
    view.put('a', entry(string('v')))
    view.put('b', entry(absent))
    // it was there before
    view.put('a', entry(absent))
    assert.deepEqual([view.peek('a'), view.peek('b'), view.keys, view.absentKeys, view.bytes], [undefined, undefined, 0, 0, 0])
    assert.deepEqual(changes, ['+a', '-b', '-a'])
  })

  test('says of what is larger than its whole budget that it is not held', () => {
    const { view, changes } = viewOf(300)
    view.put('a', entry(string('v'), 301))
    assert.deepEqual([view.peek('a'), changes], [undefined, ['-a']])
  })

  test('is not used by a look that leaves no trace', () => {
    const { view } = viewOf(200)
    for (const name of ['a', 'b']) view.put(name, entry(string('v')))
    view.peek('a')
    view.put('c', entry(string('v')))
    assert.equal(view.peek('a'), undefined)
    assert.equal(view.wasHit('b'), false)
  })

  test('evicts nothing that is there for names that are not', () => {
    const { view } = viewOf(1_000, 300)
    view.put('there', entry(string('v')))
    for (let at = 0; at < 1_000; at++) view.put(`random-${at}`, entry(absent))
    assert.deepEqual([view.keys, view.absentKeys], [1, 3])
  })

  test('holds a name once, there or missing', () => {
    const { view } = viewOf(1_000)
    view.put('k', entry(absent))
    view.put('k', entry(string('v')))
    assert.deepEqual([view.keys, view.absentKeys], [1, 0])
    view.put('k', entry(absent))
    assert.deepEqual([view.keys, view.absentKeys, view.get('k')?.payload], [0, 1, absent])
  })

  test('does not hold what is bigger than all of its budget, nor what it held before', () => {
    const { view } = viewOf(300)
    view.put('k', entry(string('old')))
    view.put('k', entry(string('new'), 301))
    assert.equal(view.peek('k'), undefined)
  })

  test('knows what was hit since it was put in', () => {
    const { view } = viewOf(1_000)
    view.put('k', entry(string('v')))
    assert.equal(view.wasHit('k'), false)
    view.get('k')
    assert.equal(view.wasHit('k'), true)
    view.put('k', entry(string('w')))
    assert.equal(view.wasHit('k'), false)
    view.get('k')
    assert.deepEqual([view.drop('k'), view.wasHit('k'), view.drop('k')], [true, false, false])
    view.get('k')
    assert.equal(view.wasHit('k'), false)
  })

  test('is empty when it was cleared', () => {
    const { view, changes } = viewOf(1_000)
    view.put('k', entry(string('v')))
    view.put('none', entry(absent))
    view.get('k')
    view.clear()
    assert.deepEqual([view.keys, view.absentKeys, view.bytes, view.wasHit('k')], [0, 0, 0, false])
    assert.equal(changes.at(-1), '-null')
  })
})

describe('an entry', () => {
  test('costs its name, what it holds, and what the maps around it take', () => {
    const [none, one] = [bytesOf('name', absent), bytesOf('name', string('12345'))]
    assert.equal(one - none, 5)
    assert.ok(none > 'name'.length)
    const hash: Payload = {
      is: 'hash',
      whole: true,
      fields: new Map([
        ['f', Buffer.from('123')],
        ['g', null],
      ]),
    }
    assert.ok(bytesOf('name', hash) > none + 'f'.length + 3 + 'g'.length)
  })

  test('has a name that is the key byte by byte', () => {
    const key = Buffer.from(Array.from({ length: 256 }, (_, at) => at))
    assert.deepEqual(keyOf(nameOf(key)), key)
  })
})
