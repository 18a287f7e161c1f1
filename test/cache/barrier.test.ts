import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Barrier } from '../../src/cache/barrier.ts'
import { quiet } from '../kit/turns.ts'

class Fixture {
  readonly begun: { done: () => void; failed: (error: Error) => void }[] = []
  hasSession = true
  readonly reached: string[] = []
  readonly barrier = new Barrier(() => {
    if (!this.hasSession) return null
    return new Promise<void>((done, failed) => this.begun.push({ done, failed }))
  })

  ask(name: string): void {
    void this.barrier.reached().then(() => this.reached.push(name))
  }
}

describe('a barrier', () => {
  test('is shared by those that ask in one turn, in jobs of that turn as well', async () => {
    const fixture = new Fixture()
    fixture.ask('a')
    fixture.ask('b')
    await quiet()
    assert.equal(fixture.begun.length, 1)
    fixture.begun[0]?.done()
    await quiet()
    assert.deepEqual(fixture.reached, ['a', 'b'])
  })

  test('that is under way is not for who asks later', async () => {
    const fixture = new Fixture()
    fixture.ask('a')
    await quiet()
    fixture.ask('b')
    await quiet()
    assert.equal(fixture.begun.length, 2)
    fixture.begun[0]?.done()
    await quiet()
    assert.deepEqual(fixture.reached, ['a'])
    fixture.begun[1]?.done()
    await quiet()
    assert.deepEqual(fixture.reached, ['a', 'b'])
  })

  test('is reached at a loss, and where nothing is tracked: nothing is held then', async () => {
    const fixture = new Fixture()
    fixture.ask('a')
    await quiet()
    fixture.begun[0]?.failed(new Error('lost'))
    fixture.hasSession = false
    fixture.ask('b')
    await quiet()
    assert.deepEqual(fixture.reached, ['a', 'b'])
  })
})
