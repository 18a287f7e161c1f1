import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { chmod, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { FileSource, type FileSourceParts } from '../../src/config/file-source.ts'
import type { Outcome } from '../../src/config/live.ts'
import { type WatchFolder, watchFolder } from '../../src/config/watch-folder.ts'
import { realWorld, type World } from '../../src/world.ts'
import { minimal } from './fixture.ts'
import { liveWith, loaded, type Told } from './live-fixture.ts'
import { temporaryFolder } from './temporary-folder.ts'

const never = 3_600_000

interface Followed extends Told {
  readonly path: string
  readonly source: FileSource
  /** The next outcome of this kind that the watch brings; a slow machine may show a file between truncation and content. */
  next(is: Outcome['is']): Promise<unknown>
}

async function follow(t: TestContext, parts: Partial<FileSourceParts> = {}, path?: string, text = minimal): Promise<Followed> {
  const file = path ?? join(await temporaryFolder(t), 'baton.yaml')
  if (path === undefined) await writeFile(file, text)
  const told = liveWith(loaded(text))
  const outcomes = new EventEmitter()
  const source = new FileSource(
    {
      path: file,
      live: told.live,
      world: realWorld,
      warn: (message) => void told.warnings.push(message),
      onOutcome: (outcome) => void outcomes.emit(outcome.is),
      pollMs: never,
      settleMs: 10,
      ...parts,
    },
    text,
  )
  source.start()
  t.after(() => source.stop())
  return { ...told, path: file, source, next: (is) => once(outcomes, is) }
}

const connect = (seconds: number): string => `${minimal}timeouts: { connect: ${seconds}s }\n`

/** A watch that never tells anything. */
const deaf: WatchFolder = () => ({ close: () => undefined })
const throwing: WatchFolder = () => {
  throw new Error('no more watches')
}

/** A world whose timers the test turns; each turn ends when the source has done what it began. */
function byHand() {
  const due: (() => void)[] = []
  const polls: (() => void)[] = []
  const world: World = {
    ...realWorld,
    after: (_delayMs, run) => {
      due.push(run)
      return { cancel: () => undefined }
    },
    every: (_periodMs, run) => {
      polls.push(run)
      return { cancel: () => undefined }
    },
  }
  const step = async (source: FileSource): Promise<void> => {
    due.shift()?.()
    // Whatever the source does is done in turn: this comes after it, and changes nothing.
    await source.put('', 'no such hash')
  }
  const poll = async (source: FileSource): Promise<void> => {
    for (const run of polls) run()
    await step(source)
  }
  return { world, step, poll }
}

describe('the file is followed', () => {
  test('when it is written in place', async (t) => {
    const { path, next, live } = await follow(t)
    const outcome = next('applied')
    await writeFile(path, connect(6))
    await outcome
    assert.equal(live.current().dynamic.timeouts.connectMs, 6_000)
  })

  test('when an editor replaces it by rename, again and again', async (t) => {
    const { path, next, live } = await follow(t)
    for (const seconds of [6, 7, 8]) {
      const outcome = next('applied')
      await writeFile(`${path}~`, connect(seconds))
      await rename(`${path}~`, path)
      await outcome
      assert.equal(live.current().dynamic.timeouts.connectMs, seconds * 1_000)
    }
  })

  test('through the links of a ConfigMap', async (t) => {
    const folder = await temporaryFolder(t)
    const publish = async (name: string, text: string) => {
      await mkdir(join(folder, name))
      await writeFile(join(folder, name, 'baton.yaml'), text)
      await symlink(name, join(folder, '..data_tmp'))
      await rename(join(folder, '..data_tmp'), join(folder, '..data'))
    }
    await publish('..2026_1', minimal)
    await symlink('..data/baton.yaml', join(folder, 'baton.yaml'))
    const { next, live } = await follow(t, {}, join(folder, 'baton.yaml'))
    const outcome = next('applied')
    await publish('..2026_2', connect(6))
    await rm(join(folder, '..2026_1'), { recursive: true })
    await outcome
    assert.equal(live.current().dynamic.timeouts.connectMs, 6_000)
  })

  test('when it goes and comes back: what runs goes on, and is stale meanwhile', async (t) => {
    const { path, next, live, counts } = await follow(t)
    const before = live.current()
    const gone = next('refused')
    await rm(path)
    await gone
    assert.equal(live.current(), before)
    assert.match(live.status().stale?.reason ?? '', /no such file/)
    assert.deepEqual(counts, ['rejected file unreadable'])
    const back = next('unchanged')
    await writeFile(path, minimal)
    await back
    assert.equal(live.status().stale, null)
  })

  test('once only: a wrong file is refused and counted once, however often it is read', async (t) => {
    const hand = byHand()
    const { path, source, live, counts } = await follow(t, { watch: deaf, world: hand.world })
    await writeFile(path, 'stable: v1\n')
    for (let round = 0; round < 8; round++) await hand.poll(source)
    assert.deepEqual(counts, ['rejected file schema'])
    await writeFile(path, connect(6))
    for (let round = 0; round < 4; round++) await hand.poll(source)
    assert.deepEqual(counts, ['rejected file schema', 'swapped file'])
    assert.equal(live.status().lastFault, null)
  })

  test('by polling alone where the folder cannot be watched, with one warning', async (t) => {
    const { path, next, warnings } = await follow(t, { watch: throwing, pollMs: 5 })
    const outcome = next('applied')
    await writeFile(path, connect(6))
    await outcome
    assert.equal(warnings.length, 1)
  })

  test('by polling where the watch is silent, as on a network mount', async (t) => {
    const { path, next } = await follow(t, { watch: deaf, pollMs: 5 })
    const outcome = next('applied')
    await writeFile(path, connect(6))
    await outcome
  })

  test('only when two reads agree: a file that is still being written is not offered', async (t) => {
    const hand = byHand()
    const { path, source, live, counts } = await follow(t, { watch: deaf, world: hand.world })
    await writeFile(path, 'versions: {')
    await hand.poll(source)
    await writeFile(path, connect(6))
    await hand.step(source)
    assert.equal(live.current().revision, 1)
    await hand.step(source)
    assert.equal(live.current().revision, 2)
    assert.deepEqual(counts, ['swapped file'])
  })
})

describe('a reload', () => {
  test('reads at once and says what came of it', async (t) => {
    const { path, source } = await follow(t, { watch: deaf })
    await writeFile(path, connect(6))
    assert.equal((await source.reload()).is, 'applied')
    assert.equal((await source.reload()).is, 'unchanged')
    await writeFile(path, 'stable: v1\n')
    assert.equal((await source.reload()).is, 'refused')
    await rm(path)
    const outcome = await source.reload()
    assert.equal(outcome.is === 'refused' && outcome.faults[0]?.reason, 'unreadable')
  })
})

describe('a put', () => {
  const file = `# opening

bootstrap:
  # mine
  state: .baton   # here
${minimal}`

  test('replaces the dynamic half in the file, keeps the other with its comments, and applies it', async (t) => {
    const { path, source, live, counts } = await follow(t, {}, undefined, file)
    await chmod(path, 0o640)
    const outcome = await source.put(connect(6), live.current().hash)
    assert.equal(outcome.is, 'applied')
    assert.equal(await readFile(path, 'utf8'), `# opening\n\nbootstrap:\n  # mine\n  state: .baton   # here\n${connect(6)}`)
    assert.equal((await stat(path)).mode & 0o777, 0o640)
    assert.equal(live.current().dynamic.timeouts.connectMs, 6_000)
    assert.deepEqual(counts, ['swapped api'])
    assert.deepEqual(await readdir(dirname(path)), ['baton.yaml'])
  })

  test('of the same content changes nothing', async (t) => {
    const { path, source, counts } = await follow(t, {}, undefined, file)
    const before = (await stat(path)).ino
    assert.equal((await source.put(minimal, null)).is, 'unchanged')
    assert.equal((await stat(path)).ino, before)
    assert.deepEqual(counts, [])
  })

  test('with faults changes nothing, and its places are those of the request', async (t) => {
    const { path, source, live, counts } = await follow(t, {}, undefined, file)
    const outcome = await source.put('stable: v1\nversions: { v1: { ulr: x } }\n', null)
    assert.equal(outcome.is, 'refused')
    const [fault] = outcome.is === 'refused' ? outcome.faults : []
    assert.deepEqual([fault?.source, fault?.line, fault?.path], ['request', 2, 'versions.v1.ulr'])
    assert.equal((await source.put(`bootstrap: {}\n${minimal}`, null)).is, 'refused')
    assert.equal((await source.put('{', null)).is, 'refused')
    assert.equal(await readFile(path, 'utf8'), file)
    assert.equal(live.current().revision, 1)
    assert.deepEqual(counts, ['rejected api schema', 'rejected api schema', 'rejected api syntax'])
  })

  test('for another content than the running one is not done', async (t) => {
    const { path, source, live } = await follow(t)
    const { hash } = live.current()
    assert.deepEqual(await source.put(connect(6), 'another'), { is: 'changed-meanwhile', hash })
    assert.equal(await readFile(path, 'utf8'), minimal)
  })

  test('over an edit that baton has not taken yet is not done if the writer asked for a certain content', async (t) => {
    const { path, source, live } = await follow(t, { watch: deaf })
    await writeFile(path, connect(7))
    assert.equal((await source.put(connect(6), live.current().hash)).is, 'changed-meanwhile')
    assert.equal(await readFile(path, 'utf8'), connect(7))
    assert.equal((await source.put(connect(6), null)).is, 'applied')
  })

  test('follows a link and leaves it a link', async (t) => {
    const folder = await temporaryFolder(t)
    await mkdir(join(folder, 'real'))
    await writeFile(join(folder, 'real', 'b.yaml'), minimal)
    await symlink('real/b.yaml', join(folder, 'b.yaml'))
    const { source } = await follow(t, {}, join(folder, 'b.yaml'))
    assert.equal((await source.put(connect(6), null)).is, 'applied')
    assert.equal(await readlink(join(folder, 'b.yaml')), 'real/b.yaml')
    assert.equal(await readFile(join(folder, 'real', 'b.yaml'), 'utf8'), connect(6))
  })

  test('where the file is missing, broken or cannot be cut, says that it cannot be replaced', async (t) => {
    const { path, source, live } = await follow(t, { watch: deaf })
    for (const content of ['{ stable: v1 } # flow', 'a: [', null]) {
      if (content === null) await rm(path)
      else await writeFile(path, content)
      const outcome = await source.put(connect(6), null)
      assert.equal(outcome.is, 'not-replaceable')
    }
    assert.equal(live.current().revision, 1)
  })

  for (const code of ['EROFS', 'EBUSY', 'EACCES', 'EXDEV']) {
    test(`where the system says ${code}, says that it cannot be replaced, and changes nothing`, async (t) => {
      const write = () => Promise.reject(Object.assign(new Error(`${code}: no`), { code }))
      const { path, source, live } = await follow(t, { write })
      const outcome = await source.put(connect(6), null)
      assert.deepEqual(outcome, { is: 'not-replaceable', reason: `${path} cannot be replaced: ${code}: no` })
      assert.equal(live.current().revision, 1)
    })
  }

  test('where the disk is full, fails and changes nothing', async (t) => {
    const write = () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
    const { source, live } = await follow(t, { write })
    await assert.rejects(source.put(connect(6), null), { code: 'ENOSPC' })
    assert.equal(live.current().revision, 1)
    assert.equal((await source.reload()).is, 'unchanged')
  })

  test('one after the other: of two writers that know the same content one wins', async (t) => {
    const { source, live } = await follow(t)
    const { hash } = live.current()
    const outcomes = await Promise.all([source.put(connect(6), hash), source.put(connect(7), hash)])
    assert.deepEqual(
      outcomes.map((outcome) => outcome.is),
      ['applied', 'changed-meanwhile'],
    )
    assert.equal(live.current().dynamic.timeouts.connectMs, 6_000)
  })
})

test('a stopped source follows nothing more, and may be stopped twice', async (t) => {
  const watched: (() => void)[] = []
  const watch: WatchFolder = (folder, onEvent, onError) => {
    watched.push(onEvent)
    return watchFolder(folder, onEvent, onError)
  }
  const { path, source, live } = await follow(t, { watch })
  await source.stop()
  await source.stop()
  await writeFile(path, connect(6))
  for (const event of watched) event()
  assert.equal(live.current().revision, 1)
})
