/** Every case of the suite against one baton, each as a test with the section that it comes from. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Case } from './case.ts'
import { type Deviation, deviations } from './deviations.ts'
import { type Lanes, openLanes } from './lanes.ts'
import { startBaton } from './peer-baton.ts'
import type { RunningProxy } from './peer-process.ts'
import { runCase } from './run-case.ts'
import { laneCount, suite } from './suite.ts'

/** Generous, since the machine is shared: a passing case does not wait for it. */
const patienceMs = 6_000

function deviating(testCase: Case, { send, expect }: Deviation): Case {
  return { ...testCase, send: send ?? testCase.send, expect: { ...testCase.expect, ...expect } }
}

describe('conformance', { concurrency: true }, () => {
  let lanes: Lanes
  let baton: RunningProxy

  before(async () => {
    lanes = await openLanes(laneCount)
    baton = await startBaton(lanes)
  })

  after(async () => {
    const strays = lanes.stray.connections.map((connection) => connection.received.toString('latin1')).filter((text) => text !== '')
    await baton.stop()
    await lanes.close()
    assert.deepEqual(strays, [], 'requests that lost their lane')
  })

  const passes = (testCase: Case): Promise<string[]> => lanes.with((lane) => runCase(testCase, lane, { port: baton.port, patienceMs }))

  for (const group of suite) {
    describe(group.name, { concurrency: laneCount }, () => {
      for (const testCase of group.cases) {
        const deviation = deviations[`${group.name}: ${testCase.name}`]
        const name = `${testCase.name} (${testCase.rfc})`
        if (deviation === undefined) {
          test(name, async () => {
            const complaints = await passes(testCase)
            if (complaints.length > 0) assert.fail(complaints.join('\n'))
          })
        } else {
          test(`${name}, deviating: ${deviation.why}`, async () => {
            const complaints = await passes(deviating(testCase, deviation))
            if (complaints.length > 0) assert.fail(complaints.join('\n'))
          })
        }
      }
    })
  }

  test('every deviation belongs to a case', () => {
    const names = suite.flatMap((group) => group.cases.map((testCase) => `${group.name}: ${testCase.name}`))
    assert.deepEqual(
      Object.keys(deviations).filter((name) => !names.includes(name)),
      [],
    )
    assert.equal(new Set(names).size, names.length, 'two cases of one name')
  })
})
