/** A dynamic half that came from elsewhere than the file, beside a bootstrap half that is the file's. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { FileSource } from '../../src/config/file-source.ts'
import type { Remote } from '../../src/config/last-good.ts'
import { realWorld } from '../../src/world.ts'
import { liveWith, loaded, type Told } from './live-fixture.ts'
import { temporaryFolder } from './temporary-folder.ts'

const own = 'config: { etcd: { endpoints: ["http://127.0.0.1:2379"], prefix: /app } }'
const versions = 'versions: { v1: { url: "http://10.1.0.7:3001" } }\nstable: v1\n'
const wide = `bootstrap: { ${own}, allowUpstreams: [loopback, 10.1.0.0/16] }\n${versions}`
const narrow = `bootstrap: { ${own} }\nversions: { v1: { url: "http://127.0.0.1:3001" } }\nstable: v1\n`

function remote(ms: number, revision: number): Remote {
  return { text: `${versions}timeouts: { connect: ${ms}ms }\n`, name: 'etcd:/app/config', revision, cluster: '1' }
}

function running({ live }: Told): readonly number[] {
  return [live.current().dynamic.timeouts.connectMs, live.current().revision]
}

describe('where etcd has given the dynamic half', () => {
  test('its revision is the one that runs, and is kept with both halves', () => {
    const told = liveWith(loaded(wide))
    assert.equal(told.live.offerRemote(remote(100, 41)).is, 'applied')
    assert.deepEqual(running(told), [100, 41])
    assert.equal(told.live.status().source, 'etcd:/app/config')
    const { text, remote: kept, revision } = told.saved.at(-1) ?? {}
    assert.deepEqual([text, kept?.revision, revision], [wide, 41, 41])
    assert.equal(told.live.dynamicText(), remote(100, 41).text)
  })

  test('a reload of the file keeps it, and brings the bootstrap half', () => {
    const told = liveWith({ ...loaded(wide), remote: null })
    told.live.offerRemote(remote(100, 41))
    const wider = wide.replace('10.1.0.0/16', '10.1.0.0/16, 10.2.0.0/16').replace('stable: v1\n', 'stable: v1\ntimeouts: { connect: 9s }\n')
    assert.equal(told.live.offer(wider, 'file').is, 'applied')
    assert.deepEqual(running(told), [100, 41])
    assert.deepEqual(told.live.current().bootstrap.allowUpstreams, ['loopback', '10.1.0.0/16', '10.2.0.0/16'])
    assert.equal(told.live.offerRemote({ ...remote(101, 42), text: remote(101, 42).text.replace('10.1.0.7', '10.2.0.7') }).is, 'applied')
  })

  test('a reload whose bootstrap half does not fit it is refused whole, with its faults placed in the key', () => {
    const told = liveWith(loaded(wide))
    told.live.offerRemote(remote(100, 41))
    const before = told.live.current()
    const outcome = told.live.offer(narrow, 'file')
    assert.deepEqual(outcome.is === 'refused' && outcome.faults.map(({ source, line, path }) => [source, line, path]), [
      ['etcd:/app/config', 1, 'versions.v1.url'],
    ])
    assert.equal(told.live.current(), before)
    assert.equal(told.live.status().stale, null)
    assert.equal(told.live.offer(wide, 'file').is, 'unchanged')
    assert.equal(told.live.status().lastFault, null)
  })

  test('a reload that changes nothing but the file’s own dynamic half changes nothing', () => {
    const told = liveWith(loaded(wide))
    told.live.offerRemote(remote(100, 41))
    told.live.follow(() => assert.fail('told'))
    assert.equal(told.live.offer(`${wide}timeouts: { connect: 9s }\n`, 'file').is, 'unchanged')
    assert.deepEqual(running(told), [100, 41])
  })

  test('a reload that leads to another etcd waits for a new generation', () => {
    const told = liveWith(loaded(wide))
    told.live.offerRemote(remote(100, 41))
    told.live.offer(wide.replace('/app', '/other'), 'file')
    assert.deepEqual(told.live.status().needsGeneration, ['bootstrap.config'])
    assert.equal(told.live.status().source, 'etcd:/app/config')
  })

  test('a file that cannot be read makes nothing stale', () => {
    const told = liveWith(loaded(wide))
    told.live.offerRemote(remote(100, 41))
    told.live.lost('gone', 'file')
    assert.equal(told.live.status().stale, null)
    told.live.lost('etcd is gone', 'etcd')
    assert.equal(told.live.status().stale?.reason, 'etcd is gone')
    told.live.offer(wide.replace('loopback', 'loopback, unix'), 'file')
    assert.equal(told.live.status().stale?.reason, 'etcd is gone', 'the file has no say on it')
    told.live.found()
    assert.equal(told.live.status().stale, null)
  })

  test('what is stale is not saved as new', () => {
    const told = liveWith(loaded(wide))
    told.live.offerRemote(remote(100, 41))
    told.live.lost('etcd is gone', 'etcd')
    const saved = told.saved.length
    told.live.offer(wide.replace('loopback', 'loopback, unix'), 'file')
    assert.equal(told.saved.length, saved)
  })
})

describe('before etcd has given one', () => {
  test('the file’s dynamic half runs and follows reloads, at revision 0', () => {
    const told = liveWith(loaded(wide))
    assert.equal(told.live.current().revision, 0)
    assert.equal(told.live.offer(`${wide}timeouts: { connect: 9s }\n`, 'file').is, 'applied')
    assert.deepEqual(running(told), [9_000, 0])
    told.live.offerRemote(remote(100, 3))
    assert.deepEqual(running(told), [100, 3])
  })
})

describe('PUT where etcd has the say', () => {
  async function putInto(t: TestContext, told: Told) {
    const path = join(await temporaryFolder(t), 'baton.yaml')
    writeFileSync(path, wide)
    const source = new FileSource({ path, live: told.live, world: realWorld, warn: () => undefined }, wide)
    return await source.put(`${versions}timeouts: { connect: 9s }\n`, null)
  }

  for (const [when, given] of [
    ['has given one', remote(100, 41)],
    ['has given none yet', null],
  ] as const) {
    test(`and ${when} is refused, naming the key and the command, and changes nothing`, async (t) => {
      const told = liveWith({ ...loaded(wide), remote: given })
      const before = told.live.current()
      const outcome = await putInto(t, told)
      assert.equal(outcome.is, 'not-replaceable')
      assert.match(outcome.is === 'not-replaceable' ? outcome.reason : '', /etcd:\/app\/config.*baton config put/)
      assert.equal(told.live.current(), before)
    })
  }
})
