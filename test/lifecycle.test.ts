/** Parts start in order and stop in reverse, whatever fails on the way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatonError } from '../src/errors.ts'
import { Lifecycle, type Part } from '../src/lifecycle.ts'

/** Notes what each part is told; `fails` names what throws. */
function create(names: readonly string[], fails: Readonly<Record<string, Error>> = {}) {
  const told: string[] = []
  const tell = async (what: string) => {
    told.push(what)
    const error = fails[what]
    if (error !== undefined) throw error
  }
  const parts: Part[] = names.map((name) => ({ name, start: () => tell(`start ${name}`), stop: () => tell(`stop ${name}`) }))
  return { told, lifecycle: new Lifecycle(parts) }
}

test('starts in order, stops in reverse', async () => {
  const { told, lifecycle } = create(['a', 'b', 'c'])
  await lifecycle.start()
  await lifecycle.stop()
  assert.deepEqual(told, ['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
})

test('each part has started before the next begins', async () => {
  const told: string[] = []
  const part = (name: string): Part => ({
    name,
    start: async () => {
      await new Promise((resolve) => setImmediate(resolve))
      told.push(name)
    },
    stop: () => {},
  })
  await new Lifecycle([part('a'), part('b')]).start()
  assert.deepEqual(told, ['a', 'b'])
})

test('a part that fails to start is stopped with those before it, and its error is what the caller gets', async () => {
  const error = new BatonError('bind', 'port 80 is taken')
  const { told, lifecycle } = create(['a', 'b', 'c'], { 'start b': error })
  await assert.rejects(lifecycle.start(), error)
  assert.deepEqual(told, ['start a', 'start b', 'stop b', 'stop a'])
})

test('that error is what the caller gets even where one of the stops fails as well', async () => {
  const error = new BatonError('bind', 'port 80 is taken')
  const { told, lifecycle } = create(['a', 'b'], { 'start b': error, 'stop a': new Error('busy') })
  await assert.rejects(lifecycle.start(), error)
  assert.deepEqual(told, ['start a', 'start b', 'stop b', 'stop a'])
  await assert.rejects(lifecycle.stop(), /a: busy/)
})

test('a part that fails to stop does not keep the others; all failures are told', async () => {
  const { told, lifecycle } = create(['a', 'b', 'c'], { 'stop c': new Error('busy'), 'stop a': new Error('stuck') })
  await lifecycle.start()
  await assert.rejects(lifecycle.stop(), (error) => error instanceof BatonError && /c: busy; a: stuck$/.test(error.message))
  assert.deepEqual(told.slice(3), ['stop c', 'stop b', 'stop a'])
})

test('stop is idempotent: each part is told once, and every caller waits for the same end', async () => {
  const { told, lifecycle } = create(['a'])
  await lifecycle.start()
  await Promise.all([lifecycle.stop(), lifecycle.stop()])
  await lifecycle.stop()
  assert.deepEqual(told, ['start a', 'stop a'])
})

test('a stop during the start ends it: what has not begun does not begin', async () => {
  let go = () => {}
  const told: string[] = []
  const slow: Part = {
    name: 'slow',
    start: () =>
      new Promise((resolve) => {
        go = resolve
      }),
    stop: () => void told.push('stop slow'),
  }
  const next: Part = { name: 'next', start: () => void told.push('start next'), stop: () => void told.push('stop next') }
  const lifecycle = new Lifecycle([slow, next])
  const started = lifecycle.start()
  const stopped = lifecycle.stop()
  go()
  await Promise.all([started, stopped])
  assert.deepEqual(told, ['stop slow'])
})

test('a stop before any start is nothing', async () => {
  const { told, lifecycle } = create(['a'])
  await lifecycle.stop()
  await lifecycle.start()
  assert.deepEqual(told, [])
})
