import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Admission } from '../../../src/cache/gateway/admission.ts'

describe('a key is taken into the cache', () => {
  test('at its second miss, and at each after that', () => {
    const admission = new Admission()
    assert.deepEqual([admission.missed('k'), admission.missed('k'), admission.missed('k')], [false, true, true])
  })

  test('not at its second if very many others came between', () => {
    const admission = new Admission()
    admission.missed('k')
    for (let at = 0; at < 40_000; at += 1) admission.missed(`other ${at}`)
    assert.equal(admission.missed('k'), false)
  })

  test('long after it was refused, and then again at once', () => {
    const admission = new Admission()
    admission.missed('k')
    admission.refused('k')
    const taken = Array.from({ length: 100 }, () => admission.missed('k'))
    assert.equal(taken.indexOf(true), 65)
    assert.ok(taken.slice(65).every((isTaken) => isTaken))
  })
})
