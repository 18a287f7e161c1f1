import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { judgeWarm, shareWarm, type WarmProgress } from '../../../src/cache/warm/progress.ts'

const target = { keys: 1_000, bytes: null, predicted: null }

/** All of 100 names settled, far below the target. */
function progress(given: Partial<WarmProgress> = {}): WarmProgress {
  return {
    phase: 'ended',
    source: null,
    named: 100,
    kept: 90,
    absent: 10,
    refused: 0,
    dropped: 0,
    keys: 90,
    bytes: 9_000,
    coverage: 1,
    predicted: null,
    isNamed: true,
    isFull: false,
    faults: [],
    elapsedMs: 1,
    ...given,
  }
}

describe('how warm it is', () => {
  test('is the share of the target, or of what is named if that is less', () => {
    assert.equal(shareWarm(progress(), target), 1)
    assert.equal(shareWarm(progress({ coverage: 0.5 }), target), 0.5)
    assert.equal(shareWarm(progress({ named: 5_000, coverage: 0.18, keys: 900 }), target), 0.9)
    assert.equal(shareWarm(progress({ named: 5_000, coverage: 0.25, keys: 1_250 }), target), 1)
  })

  test('the names that are known say nothing while there may be more', () => {
    assert.equal(shareWarm(progress({ isNamed: false }), target), 0.09)
  })

  test('is that of whichever target is nearest', () => {
    const some = progress({ isNamed: false, predicted: 0.375 })
    assert.equal(shareWarm(some, { ...target, bytes: 18_000 }), 0.5)
    assert.equal(shareWarm(some, { ...target, bytes: 18_000, predicted: 0.5 }), 0.75)
    assert.equal(shareWarm(progress({ isNamed: false }), { ...target, predicted: 0.4 }), 0.09)
  })

  test('a full view is as warm as it can be', () => {
    assert.equal(shareWarm(progress({ isNamed: false, isFull: true }), target), 1)
  })

  test('is not known where nothing was named: there is nothing to be as warm as', () => {
    const none = progress({ named: 0, kept: 0, absent: 0, keys: 0, coverage: null })
    assert.equal(shareWarm(none, target), null)
    assert.equal(shareWarm({ ...none, keys: 2_000 }, target), 1)
    assert.equal(shareWarm({ ...none, isNamed: false }, target), 0)
  })
})

describe('whether an upgrade goes on', () => {
  const some = (coverage: number) => progress({ coverage })

  test('without a requirement it does, with a warning where it is rather cold', () => {
    assert.equal(judgeWarm(some(0.95), { target, require: null }), 'go')
    assert.equal(judgeWarm(some(0.5), { target, require: null }), 'go-with-warning')
    assert.equal(judgeWarm(some(0), { target, require: null }), 'go-with-warning')
  })

  test('with one it does not below it', () => {
    assert.equal(judgeWarm(some(0.5), { target, require: 0.5 }), 'go')
    assert.equal(judgeWarm(some(0.49), { target, require: 0.5 }), 'refuse')
    assert.equal(judgeWarm(some(0.95), { target, require: 0.96 }), 'refuse')
  })

  test('nothing named, and every source asked, is a warning and no refusal; a source that failed is one', () => {
    const none = progress({ named: 0, kept: 0, absent: 0, keys: 0, coverage: null })
    assert.equal(judgeWarm(none, { target, require: 0.9 }), 'go-with-warning')
    assert.equal(judgeWarm({ ...none, isNamed: false, faults: ['file: gone'] }, { target, require: 0.9 }), 'refuse')
  })
})
