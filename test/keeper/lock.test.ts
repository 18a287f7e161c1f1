import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { BatonError } from '../../src/errors.ts'
import { takeLock } from '../../src/keeper/lock.ts'
import { identify } from '../../src/keeper/proc.ts'
import { startKeeper } from './started.ts'

let dir = ''
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'baton-lock-')), 'state')
})
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }))

const content = () => JSON.parse(readFileSync(join(dir, 'lock'), 'utf8'))
const write = (text: string) => {
  mkdirSync(dir)
  writeFileSync(join(dir, 'lock'), text)
}
const gone = { pid: 2 ** 22 + 1, startTime: 5, bootId: identify(process.pid).bootId }

describe('STATE/lock', () => {
  test('names pid, start time and boot; the folder is made, 0700, the lock 0600', () => {
    const lock = takeLock(dir, process.pid)
    assert.deepEqual(content(), { v: 1, keeper: identify(process.pid), generation: null })
    assert.equal(statSync(dir).mode & 0o777, 0o700)
    assert.equal(statSync(join(dir, 'lock')).mode & 0o777, 0o600)
    lock.release()
    assert.equal(existsSync(join(dir, 'lock')), false)
  })

  test('a folder that others can enter is closed to them', () => {
    mkdirSync(dir)
    chmodSync(dir, 0o755)
    takeLock(dir, process.pid)
    assert.equal(statSync(dir).mode & 0o777, 0o700)
  })

  test('names the generation that serves now', () => {
    const lock = takeLock(dir, process.pid)
    lock.name(process.ppid)
    assert.deepEqual(content().generation, identify(process.ppid))
    lock.release()
  })

  test('a live one is refused, naming the pid that serves', async () => {
    await using keeper = await startKeeper()
    await keeper.seen()
    await using second = await startKeeper({ dir: keeper.dir })
    assert.deepEqual(await second.exit, { code: 2, signal: null })
    assert.match(second.output(), new RegExp(`^[^\n]*pid ${keeper.pid} already serves[^\n]*\n$`))
    await keeper.ask()
  })

  for (const [what, text] of [
    ['of a process that is gone', JSON.stringify({ v: 1, keeper: gone, generation: gone })],
    ['of a reused pid', JSON.stringify({ v: 1, keeper: { ...identify(process.ppid), startTime: 5 }, generation: null })],
    ['of another boot', JSON.stringify({ v: 1, keeper: { ...identify(process.ppid), bootId: 'another' }, generation: null })],
    ['that is empty', ''],
    ['that is cut short', '{"v":1,"keeper":{"pid"'],
  ] as const) {
    test(`one ${what} is stale and taken over`, () => {
      write(text)
      takeLock(dir, process.pid)
      assert.equal(content().keeper.pid, process.pid)
    })
  }

  test('release leaves the lock of another one alone', () => {
    const lock = takeLock(dir, process.pid)
    const other = JSON.stringify({ v: 1, keeper: identify(process.ppid), generation: null })
    writeFileSync(join(dir, 'lock'), other)
    lock.release()
    assert.equal(readFileSync(join(dir, 'lock'), 'utf8'), other)
  })

  test('a state folder that cannot be made is one line', () => {
    writeFileSync(join(dir, '..', 'file'), '')
    assert.throws(
      () => takeLock(join(dir, '..', 'file', 'state'), process.pid),
      (error) => error instanceof BatonError && error.code === 'state' && !error.message.includes('\n'),
    )
  })
})
