import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { SpaceSaving } from '../../../src/cache/warm/space-saving.ts'
import { zipf } from './zipf.ts'

const letters = fc.array(fc.constantFrom(...'abcdefghijklmnop'), { maxLength: 300 })

function counted(stream: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of stream) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

describe('the names that come most often', () => {
  test('are counted exactly while each has a slot', () => {
    const sketch = new SpaceSaving(4)
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) sketch.add(name)
    assert.deepEqual(sketch.top(10), [
      { name: 'a', count: 3, error: 0 },
      { name: 'b', count: 2, error: 0 },
      { name: 'c', count: 1, error: 0 },
    ])
    assert.deepEqual(
      sketch.top(1).map(({ name }) => name),
      ['a'],
    )
    assert.equal(sketch.total, 6)
  })

  test('a new one takes the slot of the rarest, and its count as the error', () => {
    const sketch = new SpaceSaving(2)
    for (const name of ['a', 'a', 'a', 'b', 'b', 'c']) sketch.add(name)
    assert.deepEqual(sketch.top(2), [
      { name: 'a', count: 3, error: 0 },
      { name: 'c', count: 3, error: 2 },
    ])
  })

  test('bounds hold for every stream: of a counted name, of one that is not, of the error, and of the sum', () => {
    fc.assert(
      fc.property(letters, fc.integer({ min: 1, max: 20 }), (stream, slots) => {
        const sketch = new SpaceSaving(slots)
        for (const name of stream) sketch.add(name)
        const top = sketch.top(slots)
        const truth = counted(stream)
        assert.equal(top.length, Math.min(slots, truth.size))
        assert.equal(new Set(top.map(({ name }) => name)).size, top.length)
        assert.equal(
          top.reduce((sum, { count }) => sum + count, 0),
          stream.length,
        )
        for (const [index, { name, count, error }] of top.entries()) {
          const real = truth.get(name) ?? 0
          assert.ok(count - error <= real && real <= count, `${name}: ${count} - ${error}, really ${real}`)
          assert.ok(error <= stream.length / slots)
          assert.ok(count <= (top[index - 1]?.count ?? Number.POSITIVE_INFINITY))
          truth.delete(name)
        }
        for (const real of truth.values()) assert.ok(real <= (top.at(-1)?.count ?? 0))
      }),
    )
  })

  test('with halvings between, no name is promised more than it had, and the upper bound is less than one off', () => {
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 5 }), fc.integer({ min: 1, max: 20 }), (periods, slots) => {
        const sketch = new SpaceSaving(slots)
        const truth = new Map<string, number>()
        for (const stream of periods) {
          sketch.halve()
          for (const [name, real] of truth) truth.set(name, real / 2)
          for (const name of stream) {
            sketch.add(name)
            truth.set(name, (truth.get(name) ?? 0) + 1)
          }
        }
        const top = sketch.top(slots)
        for (const [index, { name, count, error }] of top.entries()) {
          const real = truth.get(name) ?? 0
          assert.ok(count - error <= real && real < count + 1, `${name}: ${count} - ${error}, really ${real}`)
          assert.ok(count <= (top[index - 1]?.count ?? Number.POSITIVE_INFINITY))
        }
        const sum = [...truth.values()].reduce((all, real) => all + real, 0)
        assert.ok(Math.abs(sketch.total - sum) < 1e-9)
      }),
    )
  })

  test('a halving forgets what came once, and its slot is free again', () => {
    const sketch = new SpaceSaving(2)
    for (const name of ['a', 'a', 'b']) sketch.add(name)
    sketch.halve()
    assert.deepEqual(sketch.top(2), [{ name: 'a', count: 1, error: 0 }])
    sketch.add('c')
    assert.deepEqual(
      sketch.top(2).map(({ name, error }) => `${name}${error}`),
      ['a0', 'c0'],
    )
    sketch.halve()
    assert.equal(sketch.size, 0)
  })

  // a tenth of CACHE.md section 5 in every number: 20,000 slots, 2 M reads of 1 M names
  test('are found in a Zipf stream with a slot for one name in fifty, and hardly with one for five hundred', () => {
    const recallWith = (slots: number): number => {
      const draw = zipf(100_000, 1, 7)
      const sketch = new SpaceSaving(slots)
      for (let each = 0; each < 200_000; each += 1) sketch.add(`catalogue:item:${draw()}`)
      const found = new Set(sketch.top(100).map(({ name }) => name))
      return Array.from({ length: 100 }, (_, rank) => rank).filter((rank) => found.has(`catalogue:item:${rank}`)).length / 100
    }
    const [many, few] = [recallWith(2_000), recallWith(200)]
    assert.ok(many >= 0.9, `recall ${many}`)
    assert.ok(few < 0.75, `recall ${few}`)
  })
})
