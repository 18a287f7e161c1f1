import assert from 'node:assert/strict'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { loadConfig, loadOrLastGood, readConfigText } from '../../src/config/config-file.ts'
import { LastGoodFile } from '../../src/config/last-good.ts'
import { ConfigError } from '../../src/errors.ts'
import { minimal, options } from './fixture.ts'
import { temporaryFolder, warned } from './temporary-folder.ts'

const unreadable = (found: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ConfigError)
  const [fault, ...more] = error.faults
  assert.deepEqual([fault?.reason, fault?.line, more.length, error.exit], ['unreadable', null, 0, 2])
  assert.match(fault?.found ?? '', found)
  assert.doesNotMatch(error.message, /\n/)
  return true
}

describe('a file that cannot be read is one fault in one line', () => {
  test('missing', async (t) => {
    await assert.rejects(readConfigText(join(await temporaryFolder(t), 'none.yaml')), unreadable(/^no such file$/))
  })
  test('a folder', async (t) => {
    await assert.rejects(readConfigText(await temporaryFolder(t)), unreadable(/^a folder$/))
  })
  test('not UTF-8', async (t) => {
    const path = join(await temporaryFolder(t), 'a.yaml')
    await writeFile(path, Buffer.from([0x61, 0xff, 0xfe]))
    await assert.rejects(readConfigText(path), unreadable(/not UTF-8/))
  })
  test('too large', async (t) => {
    const path = join(await temporaryFolder(t), 'a.yaml')
    await writeFile(path, Buffer.alloc(1_048_577, 32))
    await assert.rejects(readConfigText(path), unreadable(/a longer file/))
  })
  test('forbidden', { skip: process.getuid?.() === 0 && 'root may read everything' }, async (t) => {
    const path = join(await temporaryFolder(t), 'a.yaml')
    await writeFile(path, minimal)
    await chmod(path, 0)
    await assert.rejects(readConfigText(path), unreadable(/may not read/))
  })
})

test('a byte order mark is no part of the text', async (t) => {
  const path = join(await temporaryFolder(t), 'a.yaml')
  await writeFile(path, `\ufeff${minimal}`)
  assert.equal((await loadConfig(path, options)).text, minimal)
})

describe('a generation that follows one that served', () => {
  async function setUp(t: TestContext) {
    const folder = await temporaryFolder(t)
    const state = join(folder, 'state')
    await mkdir(state)
    const { messages, warn } = warned()
    const lastGood = new LastGoodFile(state, warn)
    lastGood.save({ text: minimal, remote: null, hash: 'h', revision: 1, savedAt: 1 })
    await lastGood.close()
    const path = join(folder, 'baton.yaml')
    return { path, state, messages, warn, load: () => loadOrLastGood(path, options, state, warn) }
  }

  test('takes the file where it is right', async (t) => {
    const { path, load } = await setUp(t)
    await writeFile(path, `${minimal}servedBy: false\n`)
    const { config, fault } = await load()
    assert.deepEqual([config.dynamic.servedBy, fault], [false, null])
  })

  for (const [what, content] of [
    ['missing', null],
    ['empty', ''],
    ['wrong', 'stable: v9\n'],
  ] as const) {
    test(`serves on with what was last applied where the file is ${what}, and says why`, async (t) => {
      const { path, load } = await setUp(t)
      if (content !== null) await writeFile(path, content)
      const { config, fault, text } = await load()
      assert.equal(config.dynamic.stable, 'v1')
      assert.equal(text, minimal)
      assert.ok(fault && fault.faults.length > 0)
    })
  }

  test('fails with the file’s own faults where nothing was ever applied, or it no longer fits', async (t) => {
    const { state, load, messages } = await setUp(t)
    await writeFile(
      join(state, 'last-good.json'),
      JSON.stringify({ v: 2, text: 'versions: 1', remote: null, hash: '', revision: 1, savedAt: 1 }),
    )
    await assert.rejects(load(), unreadable(/no such file/))
    assert.match(messages[0] ?? '', /does not fit this build/)
    await rm(join(state, 'last-good.json'))
    await assert.rejects(load(), unreadable(/no such file/))
  })
})
