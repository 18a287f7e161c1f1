import assert from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { runBaton } from '../kit/baton.ts'
import { id, shiftAt, startToldBaton, upgradeAt } from './told-baton.ts'

const baton = await startToldBaton()
after(() => baton.close())
beforeEach(() => {
  baton.calls.length = 0
  baton.outcome = { is: 'accepted', upgrade: shiftAt(1) }
  baton.states = [shiftAt(1)]
})

const run = (...args: string[]) => runBaton([...args, '--admin', baton.socket])

describe('a command gives its order once, and says what is so now', () => {
  const line = /^upg-20261124-ab12 {2}v1 → v2 {2}shift, step 2 of 4: 2\.5 %, 1m left\n$/
  const rows: readonly (readonly [args: string, call: readonly unknown[], stdout: RegExp])[] = [
    ['upgrade --to v2', ['begin', 'v2', null], line],
    ['upgrade --to v2 --plan manual', ['begin', 'v2', 'manual'], line],
    ['promote', ['promote', 1], line],
    ['pause', ['order', 'pause'], line],
    ['resume', ['order', 'resume'], line],
    ['rollback', ['order', 'rollback'], line],
    ['stable v2', ['stable', 'v2'], /^v2 is stable\n$/],
    ['drain v1', ['drain', 'v1', false], /^v1 takes no new exchange\n$/],
    ['drain v1 --force', ['drain', 'v1', true], /^v1 takes no new exchange\n$/],
    ['undrain v1', ['undrain', 'v1'], /^v1 takes exchanges\n$/],
    ['retire v1', ['retire', 'v1', false], /^v1 is retired once it is drained\n$/],
    ['retire --force v1', ['retire', 'v1', true], /^v1 is retired once it is drained\n$/],
    ['hold', ['hold'], /^new requests are held\n$/],
    ['release', ['release'], /^requests go on\n$/],
  ]
  for (const [args, call, stdout] of rows) {
    test(`baton ${args}`, async () => {
      const result = await run(...args.split(' '))
      assert.equal(result.stderr, '')
      assert.match(result.stdout, stdout)
      assert.equal(result.code, 0)
      assert.deepEqual(baton.calls, [call])
    })
  }
})

describe('promote', () => {
  test('means no step where traffic does not shift', async () => {
    baton.states = [upgradeAt({ phase: 'warm' })]
    await run('promote')
    assert.deepEqual(baton.calls, [['promote', null]])
  })
  test('of a step that somebody else has just ended says so', async () => {
    baton.outcome = { is: 'unchanged', upgrade: shiftAt(2) }
    assert.match((await run('promote')).stdout, /^nothing to do: upg-20261124-ab12 {2}v1 → v2 {2}shift, step 3 of 4/)
  })
})

describe('an order', () => {
  test('that changes nothing says so, and is done all the same', async () => {
    baton.outcome = { is: 'unchanged', upgrade: null }
    const stable = await run('stable', 'v1')
    assert.deepEqual([stable.stdout, stable.code], ['nothing to do: v1 is stable\n', 0])
    const upgrade = await run('upgrade', '--to', 'v1', '--wait')
    assert.deepEqual([upgrade.stdout, upgrade.code], ['nothing to do: v1 is stable\n', 0])
    baton.outcome = { is: 'unchanged', upgrade: shiftAt(0) }
    assert.match((await run('pause')).stdout, /^nothing to do: upg-20261124-ab12 {2}v1 → v2 {2}shift, step 1 of 4: header-only/)
  })
  test('that is refused is one line, exit 4', async () => {
    baton.outcome = { is: 'refused', reason: 'v1 is stable: all traffic would fail (--force does it)' }
    const { stderr, stdout, code } = await run('drain', 'v1')
    assert.equal(stderr, 'baton: refused: v1 is stable: all traffic would fail (--force does it)\n')
    assert.deepEqual([stdout, code], ['', 4])
  })
  test('about what is not there is one line, exit 2', async () => {
    baton.outcome = { is: 'unknown', what: 'version v9' }
    const { stderr, code } = await run('upgrade', '--to', 'v9')
    assert.deepEqual([stderr, code], ['baton: there is no version v9\n', 2])
  })
  test('with --json is answered as the API answers', async () => {
    const { stdout } = await run('stable', 'v2', '--json')
    const { is, upgrade } = JSON.parse(stdout)
    assert.deepEqual([is, upgrade.id], ['accepted', id])
  })
  test('to go back after the end names the version that is stable again', async () => {
    baton.outcome = { is: 'accepted', upgrade: upgradeAt({ phase: 'done' }) }
    assert.equal((await run('rollback')).stdout, 'v1 is stable again\n')
  })
  test('that nobody understands is one line, exit 1', async () => {
    baton.outcome = { is: 'accepted', upgrade: { hello: 1 } }
    const { stderr, code } = await run('promote')
    assert.match(stderr, /^baton: [^\n]*no upgrade that this command understands[^\n]*\n$/)
    assert.equal(code, 1)
  })
})

test('baton status shows the upgrade', async () => {
  baton.states = [shiftAt(2)]
  const { stdout } = await run('status')
  assert.match(stdout, /^upgrade upg-20261124-ab12 {2}v1 → v2 {2}shift, step 3 of 4: 50 %, until "baton promote"$/m)
})
