import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { followUpgrade } from '../../src/cli/follow-upgrade.ts'
import { verdictLine } from '../../src/cli/verdict-text.ts'
import { BatonError, exitCode } from '../../src/errors.ts'
import type { Cause, Upgrade } from '../../src/rollout/upgrade.ts'
import { realWorld, type World } from '../../src/world.ts'
import { batonPath, nodePath, runBaton } from '../kit/baton.ts'
import { needs } from '../kit/packages.ts'
import { spawnInTerminal } from '../kit/terminal.ts'
import { breaching, verdictOf } from '../rollout/verdict-fixture.ts'
import { id, shiftAt, startToldBaton, upgradeAt } from './told-baton.ts'

const baton = await startToldBaton()
after(() => baton.close())
beforeEach(() => {
  baton.onLook = () => undefined
  baton.explained = { receipt: { cut: 0, failed: 0 }, entries: [] }
  baton.analysis = null
})

const why: Cause = { code: 'candidate-lost', detail: 'v2 ended with 1', by: 'engine' }
const begun = upgradeAt({ phase: 'precheck' })
const name = `${id}  v1 → v2`

const contextWith = (world: World) => ({
  world,
  print: () => undefined,
  complain: () => undefined,
  isScreen: false,
  leave: () => undefined,
})

function wait(...states: Upgrade[]) {
  baton.outcome = { is: 'accepted', upgrade: begun }
  baton.states = states
  return runBaton(['upgrade', '--to', 'v2', '--wait', '--admin', baton.socket])
}

describe('baton upgrade --wait', () => {
  test('tells each place once, a line each, and ends with 0 once it is done', async () => {
    const health = upgradeAt({ phase: 'health-check' })
    const paused = upgradeAt({ phase: 'shift', step: 1, mode: { is: 'paused', by: 'operator' }, degrades: 0 })
    const stopping = upgradeAt({ phase: 'stop-old', todo: 'drain', frozen: null })
    const { stdout, stderr, code } = await wait(
      health,
      health,
      shiftAt(0),
      shiftAt(1),
      paused,
      shiftAt(3),
      stopping,
      upgradeAt({ phase: 'done' }),
    )
    assert.equal(stderr, '')
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      `${name}  precheck`,
      `${name}  health-check`,
      `${name}  shift, step 1 of 4: header-only`,
      `${name}  shift, step 2 of 4: 2.5 %`,
      `${name}  shift, step 2 of 4: 2.5 %, paused`,
      `${name}  shift, step 4 of 4: bake`,
      `${name}  stop-old: drain`,
      `${name}  done`,
    ])
    assert.equal(code, 0)
  })

  test('tells a breach as it begins and as it ends, and that a step is degraded', async () => {
    const degraded = upgradeAt({ phase: 'shift', step: 1, mode: { is: 'degraded', forMs: 30_000, wasPaused: false }, degrades: 1 })
    const verdicts = [verdictOf(), verdictOf(), verdictOf({ candidate: breaching(['errorRate', 'cpu']) }), verdictOf(), verdictOf()]
    baton.onLook = () => {
      baton.analysis = verdicts.shift() ?? null
    }
    const { stdout } = await wait(shiftAt(0), shiftAt(1), shiftAt(1, { seq: 2 }), degraded, upgradeAt({ phase: 'done' }))
    assert.deepEqual(stdout.trimEnd().split('\n').slice(2), [
      `${name}  shift, step 2 of 4: 2.5 %`,
      `${name}  breach, L2 (degrade): errorRate: 2% of 1000 requests failed, above 0.3% (stable 0%); cpu: 95% of one core over 15s, above 90%`,
      `${name}  shift, step 2 of 4: 2.5 %, degraded`,
      `${name}  ${verdictLine(verdictOf())}`,
      `${name}  done`,
    ])
  })

  test('ends with 1 where it is done and exchanges failed meanwhile, which the receipt counts', async () => {
    baton.explained = { receipt: { cut: 2, failed: 3 }, entries: [] }
    const { stdout, code } = await wait(upgradeAt({ phase: 'done' }))
    assert.deepEqual(stdout.trimEnd().split('\n').slice(-2), [
      `2 cut at the end of their time; "baton explain ${id}" has the receipt`,
      `done, but 1 failed meanwhile; "baton explain ${id}" has the receipt`,
    ])
    assert.equal(code, 1)
  })

  test('ends with 0 where all that failed was cut at the end of its time', async () => {
    baton.explained = { receipt: { cut: 2, failed: 2 }, entries: [] }
    const { stdout, code } = await wait(upgradeAt({ phase: 'done' }))
    assert.equal(stdout.trimEnd().split('\n').at(-1), `2 cut at the end of their time; "baton explain ${id}" has the receipt`)
    assert.equal(code, 0)
  })

  test('waits for a receipt that is still being written', async (t) => {
    const [unwritten, written] = [null, 1].map((failed) => ({ receipt: { cut: failed === null ? null : 0, failed }, entries: [] }))
    let asked = 0
    const explained = Object.getOwnPropertyDescriptor(baton, 'explained') ?? {}
    t.after(() => Object.defineProperty(baton, 'explained', explained))
    Object.defineProperty(baton, 'explained', { configurable: true, get: () => (asked++ < 2 ? unwritten : written) })
    assert.equal((await wait(upgradeAt({ phase: 'done' }))).code, 1)
    assert.equal(asked, 3)
  })

  test('asks for the receipt again where the generation died right after the end', async (t) => {
    baton.explained = { receipt: { cut: 0, failed: 1 }, entries: [] }
    await baton.down()
    const back = delay(300).then(() => baton.up())
    t.after(() => back)
    const ended = followUpgrade(upgradeAt({ phase: 'done' }), { is: 'unix', path: baton.socket }, contextWith(realWorld))
    assert.equal(await ended, exitCode.failed)
  })

  const ends: readonly (readonly [string, Upgrade, number, string])[] = [
    ['rolled back', upgradeAt({ phase: 'rolled-back', why }), 3, 'rolled-back: v2 ended with 1'],
    ['failed', upgradeAt({ phase: 'failed', why }), 1, 'failed: v2 ended with 1'],
    ['frozen', upgradeAt({ phase: 'stop-old', todo: 'stop', frozen: why }), 5, 'stop-old, frozen: v2 ended with 1'],
  ]
  for (const [what, end, exit, line] of ends) {
    test(`ends with ${exit} once it is ${what}`, async () => {
      const { stdout, code } = await wait(upgradeAt({ phase: 'rollback', todo: 'drain', why }), end)
      assert.equal(stdout.trimEnd().split('\n').at(-1), `${name}  ${line}`)
      assert.equal(code, exit)
    })
  }

  test('joins an upgrade that is under way already', async () => {
    baton.outcome = { is: 'unchanged', upgrade: shiftAt(1) }
    baton.states = [upgradeAt({ phase: 'done' })]
    const { stdout, code } = await runBaton(['upgrade', '--to', 'v2', '--wait', '--admin', baton.socket])
    assert.match(stdout, /shift, step 2 of 4: 2\.5 %\n.*done\n$/)
    assert.equal(code, 0)
  })

  test('goes on when baton went away and came back', async () => {
    baton.onLook = () => {
      baton.onLook = () => undefined
      baton.states = [upgradeAt({ phase: 'done' })]
      void baton.down().then(() => setTimeout(() => void baton.up(), 300))
    }
    const { stdout, stderr, code } = await wait(shiftAt(1))
    assert.equal(stderr, '')
    assert.match(stdout, /done\n$/)
    assert.equal(code, 0)
  })

  test('takes the end from the history once another upgrade has begun', async () => {
    baton.explained = { receipt: null, entries: [{ upgrade: shiftAt(1) }, { upgrade: upgradeAt({ phase: 'rolled-back', why }) }] }
    const { stdout, code } = await wait(upgradeAt({ phase: 'precheck' }, { id: 'upg-20261124-next' }))
    assert.match(stdout, /rolled-back: v2 ended with 1\n$/)
    assert.equal(code, 3)
  })

  test('on a terminal: one line that is drawn again, with the time that is left', { skip: needs('script') }, async () => {
    baton.outcome = { is: 'accepted', upgrade: begun }
    baton.states = [
      upgradeAt({ phase: 'health-check' }),
      shiftAt(1),
      shiftAt(1, { since: Date.now() - 100_000 }),
      upgradeAt({ phase: 'done' }),
    ]
    const child = spawnInTerminal([nodePath, batonPath, 'upgrade', '--to', 'v2', '--wait', '--admin', baton.socket])
    const [drawn, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    const lines = drawn.split('\r\u001b[K').slice(1)
    assert.equal(lines[0], `${name}  precheck`)
    assert.match(lines[1] ?? '', /health-check, \d+s left to be ready$/)
    assert.match(lines[2] ?? '', /shift, step 2 of 4: 2\.5 %, 1m left$/)
    assert.match(lines[3] ?? '', /shift, step 2 of 4: 2\.5 %, until 20 requests$/)
    assert.match(lines[4] ?? '', /done\r?\n$/)
    assert.equal(lines.length, 5)
    assert.equal(code, 0)
  })

  test('gives up when baton stays away', async () => {
    let elapsed = 0
    const world = { ...realWorld, elapsed: () => (elapsed += 10_000) }
    const gone = followUpgrade(begun, { is: 'unix', path: '/nowhere/admin.sock' }, contextWith(world))
    await assert.rejects(gone, (error) => error instanceof BatonError && error.code === 'unreachable')
  })
})
