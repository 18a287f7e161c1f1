import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { writeAtomically } from '../../src/config/atomic-file.ts'
import { CoalescedFile } from '../../src/config/coalesced-file.ts'
import { temporaryFolder, warned } from './temporary-folder.ts'

describe('an atomic write', () => {
  test('is 0600, whole, and leaves nothing else', async (t) => {
    const folder = await temporaryFolder(t)
    const path = join(folder, 'a.json')
    await writeAtomically(path, 'one')
    await writeAtomically(path, 'two')
    assert.equal(await readFile(path, 'utf8'), 'two')
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(folder), ['a.json'])
  })

  test('has the mode that it is asked for, whatever the umask', async (t) => {
    const path = join(await temporaryFolder(t), 'a')
    await writeAtomically(path, 'x', 0o666)
    assert.equal((await stat(path)).mode & 0o777, 0o666)
  })

  test('replaces what a killed writer left', async (t) => {
    const folder = await temporaryFolder(t)
    await writeFile(join(folder, '.a.tmp'), 'half')
    await writeAtomically(join(folder, 'a'), 'whole')
    assert.deepEqual(await readdir(folder), ['a'])
  })

  test('that fails leaves the old file and nothing else', async (t) => {
    const folder = await temporaryFolder(t)
    const path = join(folder, 'a')
    // A folder cannot be replaced by a file.
    await mkdir(join(path, 'inner'), { recursive: true })
    await assert.rejects(writeAtomically(path, 'x'), { syscall: 'rename' })
    assert.deepEqual(await readdir(folder), ['a'])
    await assert.rejects(writeAtomically(join(folder, 'none', 'a'), 'x'), { code: 'ENOENT' })
  })

  test('is seen old or new, never in between', async (t) => {
    const path = join(await temporaryFolder(t), 'a')
    const contents = ['a', 'b'].map((letter) => letter.repeat(300_000))
    await writeAtomically(path, contents[0] ?? '')
    let writing = true
    const writer = (async () => {
      for (let round = 0; round < 40; round++) await writeAtomically(path, contents[round % 2] ?? '')
      writing = false
    })()
    while (writing) assert.ok(contents.includes(await readFile(path, 'utf8')))
    await writer
  })
})

describe('a coalesced file', () => {
  test('many changes in one step are one write, and the last is on disk after a flush', async (t) => {
    const path = join(await temporaryFolder(t), 'a')
    const { messages, warn } = warned()
    const file = new CoalescedFile(path, warn)
    let rendered = 0
    for (let value = 0; value < 100; value++) {
      file.write(() => {
        rendered++
        return String(value)
      })
    }
    await file.flush()
    assert.equal(await readFile(path, 'utf8'), '99')
    assert.equal(rendered, 1)
    assert.deepEqual(messages, [])
  })

  test('a change during a write is written after it', async (t) => {
    const path = join(await temporaryFolder(t), 'a')
    const file = new CoalescedFile(path, warned().warn)
    file.write(() => {
      file.write(() => 'second')
      return 'first'
    })
    await file.flush()
    assert.equal(await readFile(path, 'utf8'), 'second')
  })

  test('a write that fails is warned of, and the next one is tried again', async (t) => {
    const folder = await temporaryFolder(t)
    const { messages, warn } = warned()
    const file = new CoalescedFile(join(folder, 'late', 'a'), warn)
    file.write(() => 'x')
    await file.flush()
    assert.equal(messages.length, 1)
    await mkdir(join(folder, 'late'))
    await chmod(join(folder, 'late'), 0o700)
    file.write(() => 'y')
    await file.flush()
    assert.equal(await readFile(join(folder, 'late', 'a'), 'utf8'), 'y')
    assert.equal(messages.length, 1)
  })
})
