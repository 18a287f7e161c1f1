import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { LastGoodFile, readLastGood } from '../../src/config/last-good.ts'
import { StateFile } from '../../src/config/state-file.ts'
import { temporaryFolder, warned } from './temporary-folder.ts'

describe('the state file', () => {
  test('gives back after a restart what was set before', async (t) => {
    const folder = join(await temporaryFolder(t), 'state')
    const { messages, warn } = warned()
    const state = await StateFile.open(folder, warn)
    assert.equal(state.get('config'), undefined)
    state.set('config', { revision: 3 })
    state.set('retired', ['v1'])
    assert.deepEqual(state.get('config'), { revision: 3 })
    await state.close()
    const again = await StateFile.open(folder, warn)
    assert.deepEqual([again.get('config'), again.get('retired'), again.get('v')], [{ revision: 3 }, ['v1'], undefined])
    assert.equal((await stat(folder)).mode & 0o777, 0o700)
    assert.equal((await stat(join(folder, 'state.json'))).mode & 0o777, 0o600)
    assert.deepEqual(messages, [])
  })

  for (const [what, content] of [
    ['cut off', '{"v": 1, "config": {"rev'],
    ['empty', ''],
    ['binary', '\u0000\u0001'],
    ['of another format', '{"v": 2, "config": {"revision": 9}}'],
    ['a list', '[]'],
    ['null', 'null'],
  ] as const) {
    test(`one that is ${what} is warned of, set aside and begun anew`, async (t) => {
      const folder = await temporaryFolder(t)
      await writeFile(join(folder, 'state.json'), content)
      const { messages, warn } = warned()
      const state = await StateFile.open(folder, warn)
      assert.equal(state.get('config'), undefined)
      assert.equal(messages.length, 1)
      assert.equal(await readFile(join(folder, 'state.json.corrupt'), 'utf8'), content)
      state.set('config', 1)
      await state.close()
      assert.deepEqual((await readdir(folder)).sort(), ['state.json', 'state.json.corrupt'])
    })
  }
})

describe('the last good document', () => {
  const lastGood = {
    text: 'stable: v1\n',
    remote: { text: 'stable: v2\n', name: 'etcd:/a/config', revision: 4, cluster: '7' },
    hash: 'abc',
    revision: 4,
    savedAt: 1_000,
  }

  test('is read back', async (t) => {
    const folder = await temporaryFolder(t)
    const { messages, warn } = warned()
    const file = new LastGoodFile(folder, warn)
    file.save({ ...lastGood, revision: 3 })
    file.save(lastGood)
    await file.close()
    assert.deepEqual(await readLastGood(folder, warn), lastGood)
    assert.deepEqual(messages, [])
  })

  test('none is none, without a warning', async (t) => {
    const { messages, warn } = warned()
    assert.equal(await readLastGood(await temporaryFolder(t), warn), null)
    assert.deepEqual(messages, [])
  })

  for (const content of ['{', '{"v":2,"text":5}', '{"v":1}', '[]']) {
    test(`${content} is none, with a warning`, async (t) => {
      const folder = await temporaryFolder(t)
      await writeFile(join(folder, 'last-good.json'), content)
      const { messages, warn } = warned()
      assert.equal(await readLastGood(folder, warn), null)
      assert.equal(messages.length, 1)
    })
  }
})
