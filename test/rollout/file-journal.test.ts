import assert from 'node:assert/strict'
import { appendFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { FileJournal } from '../../src/rollout/file-journal.ts'
import type { JournalEntry } from '../../src/rollout/journal.ts'
import type { Ledger } from '../../src/rollout/ledger.ts'
import { receiptOf, unmeasured } from '../../src/rollout/receipt.ts'
import type { Place, Upgrade } from '../../src/rollout/upgrade.ts'
import { newUpgradeId } from '../../src/rollout/upgrade-id.ts'
import { temporaryFolder, warned } from '../config/temporary-folder.ts'
import { ordered, places, plan, upgradeAt } from './upgrade-fixture.ts'

const ledger: Ledger = { v: 1, stable: 'v1', configuredStable: 'v1', retired: [], drained: [], spare: null, upgrade: null }

function entryOf(upgrade: Upgrade, at = 9_000): JournalEntry {
  return { at, seq: upgrade.seq, phase: upgrade.phase, event: 'ready', upgrade, requests: { v1: 10, v2: 3 }, evidence: null }
}

/** The upgrade that began as the n-th. */
function nth(count: number, place: Place = { phase: 'done' }): Upgrade {
  return { ...upgradeAt(place), id: newUpgradeId(Date.UTC(2026, 0, 1), () => (count + 0.5) / 36 ** 4), beganAt: 1_000 + count }
}

describe('the ledger', () => {
  test('is none before the first write, and then what was written last, for those who come after as well', async (t) => {
    const folder = await temporaryFolder(t)
    const { messages, warn } = warned()
    const journal = await FileJournal.open(folder, warn)
    assert.equal(journal.read(), null)
    await journal.write({ ...ledger, stable: 'v2' })
    assert.equal(journal.read()?.stable, 'v2')
    const after = await FileJournal.open(folder, warn)
    assert.deepEqual([after.read(), after.damage, messages], [{ ...ledger, stable: 'v2' }, null, []])
    assert.equal((await stat(join(folder, 'journal'))).mode & 0o777, 0o700)
    assert.equal((await stat(join(folder, 'journal', 'ledger.json'))).mode & 0o777, 0o600)
  })

  for (const strategy of ['shift', 'exclusive'] as const) {
    test(`keeps an upgrade whole, wherever it stands: ${strategy}`, async (t) => {
      const folder = await temporaryFolder(t)
      const { messages, warn } = warned()
      for (const place of places.filter(({ phase }) => phase !== 'shift' || strategy === 'shift')) {
        const steps = strategy === 'shift' ? {} : { steps: [] }
        const upgrade = upgradeAt(place, { plan: plan({ strategy, ...steps }), ours: false })
        const led = { ...upgrade, led: strategy === 'shift' }
        const written: Ledger = { ...ledger, retired: ['v0'], drained: ['v3'], spare: { version: 'v3', until: 7 }, upgrade: led }
        await (await FileJournal.open(folder, warn)).write(written)
        assert.deepEqual((await FileJournal.open(folder, warn)).read(), written)
      }
      assert.deepEqual(messages, [])
    })
  }

  test('of an older build does not know whom the old version was, nor of fleets', async (t) => {
    const folder = await temporaryFolder(t)
    const { messages, warn } = warned()
    const { oldPid, led, ...older } = upgradeAt({ phase: 'warm' })
    const journal = await FileJournal.open(folder, warn)
    await writeFile(join(journal.folder, 'ledger.json'), JSON.stringify({ ...ledger, upgrade: older }))
    const after = (await FileJournal.open(folder, warn)).read()
    assert.deepEqual([after?.upgrade, messages], [{ ...older, oldPid: null, led: false }, []])
    assert.deepEqual([oldPid, led], [4_001, false])
  })

  test('is the former one where baton was killed between the temporary file and its renaming', async (t) => {
    const folder = await temporaryFolder(t)
    const { messages, warn } = warned()
    await (await FileJournal.open(folder, warn)).write(ledger)
    const cut = JSON.stringify({ ...ledger, stable: 'v2' }).slice(0, 20)
    await writeFile(join(folder, 'journal', '.ledger.json.tmp'), cut)
    const after = await FileJournal.open(folder, warn)
    assert.deepEqual([after.read(), after.damage, messages], [ledger, null, []])
    await after.write({ ...ledger, stable: 'v3' })
    assert.deepEqual(await readdir(join(folder, 'journal')), ['ledger.json'])
    assert.equal((await FileJournal.open(folder, warn)).read()?.stable, 'v3')
  })

  test('is written in the order of the calls, each write whole when it resolves', async (t) => {
    const folder = await temporaryFolder(t)
    const { warn } = warned()
    const journal = await FileJournal.open(folder, warn)
    const resolved: string[] = []
    const names = Array.from({ length: 25 }, (_, at) => `v${at}`)
    const writes = names.map(async (stable) => {
      await journal.write({ ...ledger, stable })
      resolved.push(stable)
      assert.equal((await FileJournal.open(folder, warn)).damage, null)
    })
    await Promise.all(writes)
    assert.deepEqual(resolved, names)
    assert.equal((await FileJournal.open(folder, warn)).read()?.stable, 'v24')
  })

  test('stands as it was when a write fails, and the next one goes ahead', async (t) => {
    const folder = await temporaryFolder(t)
    const journal = await FileJournal.open(folder, warned().warn)
    const path = join(folder, 'journal', 'ledger.json')
    // A folder in its place cannot be replaced by a file.
    await mkdir(path)
    await writeFile(join(path, 'x'), '')
    const failing = journal.write(ledger)
    const entry = entryOf(nth(1))
    const following = journal.append(entry.upgrade.id, entry)
    await assert.rejects(failing, { code: 'EISDIR' })
    await following
    assert.equal(journal.read(), null)
    assert.deepEqual(await journal.entries(entry.upgrade.id), [entry])
  })

  test('of an exclusive upgrade, whose plan has no steps, is read again', async (t) => {
    const folder = await temporaryFolder(t)
    const { warn } = warned()
    const upgrade = upgradeAt({ phase: 'hold' }, { plan: plan({ strategy: 'exclusive', steps: [] }) })
    await (await FileJournal.open(folder, warn)).write({ ...ledger, upgrade })
    assert.deepEqual((await FileJournal.open(folder, warn)).read(), { ...ledger, upgrade })
  })

  const inShift = JSON.stringify({ ...ledger, upgrade: upgradeAt({ phase: 'shift', step: 1, mode: { is: 'running' }, degrades: 0 }) })
  for (const [what, content] of [
    ['cut off', inShift.slice(0, -9)],
    ['empty', ''],
    ['binary', '\u0000\u0001'],
    ['null', 'null'],
    ['a list', '[]'],
    ['of a later format', inShift.replace('"v":1', '"v":2')],
    ['without its stable', inShift.replace('"stable"', '"stabel"')],
    ['in a phase that this build does not know', inShift.replace('"phase":"shift"', '"phase":"mirror"')],
    ['in a step that the plan does not have', inShift.replace('"step":1', '"step":3')],
    ['in a mode that this build does not know', inShift.replace('"running"', '"degraded"')],
    ['without a plan', inShift.replace(/"plan":\{.*?\]/, '"plan":{"steps":[]')],
    ['with an upgrade that has no proper name', inShift.replace('upg-20261124-abcd', '../../x')],
  ] as const) {
    test(`that is ${what} is not guessed at: set aside, warned of, and none`, async (t) => {
      assert.notEqual(content, inShift)
      const folder = await temporaryFolder(t)
      const { messages, warn } = warned()
      await mkdir(join(folder, 'journal'))
      await writeFile(join(folder, 'journal', 'ledger.json'), content)
      const journal = await FileJournal.open(folder, warn)
      assert.equal(journal.read(), null)
      assert.match(journal.damage ?? '', /ledger\.json\.corrupt, and roles are the configuration's/)
      assert.deepEqual(messages, [journal.damage])
      assert.equal(await readFile(join(folder, 'journal', 'ledger.json.corrupt'), 'utf8'), content)
      await journal.write(ledger)
      assert.deepEqual((await FileJournal.open(folder, warn)).read(), ledger)
    })
  }
})

describe('the moves of an upgrade', () => {
  test('are kept in their order, each on the disk when it resolves', async (t) => {
    const folder = await temporaryFolder(t)
    const { messages, warn } = warned()
    const journal = await FileJournal.open(folder, warn)
    const entries = places.map((place, at) => ({ ...entryOf(upgradeAt(place)), seq: at }))
    const [first] = entries
    assert.ok(first)
    const { id } = first.upgrade
    await Promise.all(entries.map((entry) => journal.append(id, entry)))
    assert.deepEqual(await (await FileJournal.open(folder, warn)).entries(id), entries)
    assert.deepEqual(messages, [])
    assert.equal((await stat(join(folder, 'journal', `${id}.jsonl`))).mode & 0o777, 0o600)
  })

  test('after half a line that a killed baton left are whole', async (t) => {
    const folder = await temporaryFolder(t)
    const { messages, warn } = warned()
    const journal = await FileJournal.open(folder, warn)
    const entry = entryOf(nth(1))
    const { id } = entry.upgrade
    await journal.append(id, entry)
    await appendFile(join(folder, 'journal', `${id}.jsonl`), JSON.stringify(entry).slice(0, 30))
    const after = await FileJournal.open(folder, warn)
    await after.append(id, { ...entry, seq: 8 })
    assert.deepEqual(
      (await after.entries(id)).map(({ seq }) => seq),
      [7, 8],
    )
    assert.equal(messages.length, 1)
  })

  test('of a name that is none are none, and nothing is written under it', async (t) => {
    const folder = await temporaryFolder(t)
    const journal = await FileJournal.open(folder, warned().warn)
    await writeFile(join(folder, 'secret.jsonl'), `${JSON.stringify(entryOf(nth(1)))}\n`)
    assert.deepEqual(await journal.entries('../secret'), [])
    assert.deepEqual(await journal.entries('upg-20260101-zzzz'), [])
    await assert.rejects(journal.append('../secret', entryOf(nth(1))), /not the name of an upgrade/)
  })

  test('that never end stop to be kept at 4 MiB, but for the end', async (t) => {
    const folder = await temporaryFolder(t)
    const { messages, warn } = warned()
    const journal = await FileJournal.open(folder, warn)
    const running = nth(1, { phase: 'warm' })
    await journal.append(running.id, entryOf(running))
    await appendFile(join(folder, 'journal', `${running.id}.jsonl`), '\n'.repeat(4 * 1024 * 1024))
    await journal.append(running.id, entryOf(running))
    await journal.append(running.id, entryOf({ ...running, phase: 'done' }))
    assert.deepEqual(
      (await journal.entries(running.id)).map(({ phase }) => phase),
      ['warm', 'done'],
    )
    assert.equal(messages.length, 1)
  })
})

test('a receipt is kept after what was to be written before it', async (t) => {
  const journal = await FileJournal.open(await temporaryFolder(t), warned().warn)
  const upgrade = nth(1)
  const appended = Array.from({ length: 20 }, () => journal.append(upgrade.id, entryOf(upgrade)))
  const receipt = receiptOf([entryOf(upgrade)], unmeasured)
  assert.ok(receipt !== null)
  await journal.keepReceipt(receipt)
  assert.equal((await journal.entries(upgrade.id)).length, 20)
  assert.deepEqual(await journal.receipt(upgrade.id), receipt)
  await Promise.all(appended)
})

describe('the history', () => {
  test('tells of each upgrade where it stands, newest first', async (t) => {
    const journal = await FileJournal.open(await temporaryFolder(t), warned().warn)
    const [old, recent] = [nth(1, { phase: 'rolled-back', why: ordered }), nth(2, { phase: 'warm' })]
    await journal.append(recent.id, entryOf(recent))
    await journal.append(old.id, entryOf({ ...old, phase: 'warm' }, 8_000))
    await journal.append(old.id, entryOf(old))
    const names = { from: 'v1', to: 'v2', plan: 'careful' }
    assert.deepEqual(await journal.history(), [
      { ...names, id: recent.id, phase: 'warm', why: null, beganAt: 1_002, at: 9_000 },
      { ...names, id: old.id, phase: 'rolled-back', why: ordered, beganAt: 1_001, at: 9_000 },
    ])
  })

  test('is of the last 50 upgrades: what else is of an older one goes with it', async (t) => {
    const folder = await temporaryFolder(t)
    const journal = await FileJournal.open(folder, warned().warn)
    await journal.write(ledger)
    for (let count = 0; count < 52; count += 1) {
      const upgrade = nth(count)
      await writeFile(join(journal.folder, `${upgrade.id}.receipt.json`), '{}')
      await journal.append(upgrade.id, entryOf(upgrade))
    }
    const history = await journal.history()
    assert.deepEqual(
      history.map(({ id }) => id),
      Array.from({ length: 50 }, (_, at) => nth(51 - at).id),
    )
    const names = await readdir(journal.folder)
    assert.equal(names.length, 101)
    assert.ok(names.includes('ledger.json'))
  })

  test('never forgets the upgrade that is under way, though a clock went back', async (t) => {
    const journal = await FileJournal.open(await temporaryFolder(t), warned().warn)
    for (let count = 1; count < 51; count += 1) await journal.append(nth(count).id, entryOf(nth(count)))
    const early = { ...nth(77), beganAt: 0 }
    await journal.append(early.id, entryOf(early))
    const history = await journal.history()
    assert.equal(history.length, 50)
    assert.equal(history.at(-1)?.id, early.id)
  })
})
