import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '../../src/errors.ts'
import { minimal, parse } from './fixture.ts'
import { liveWith, loaded } from './live-fixture.ts'

const slower = `${minimal}timeouts: { connect: 9s }\n`
const broken = `${minimal}timeouts: { conect: 9s }\nroutes: [{ name: a, to: nobody }]\n`

describe('an offer', () => {
  test('that is right becomes the current snapshot, one revision on, and the followers are told in order', () => {
    const { live, counts, saved, clock } = liveWith(loaded(minimal))
    const before = live.current()
    const told: string[] = []
    live.follow((now, old) => told.push(`first ${old.revision} → ${now.revision} ${live.current() === now}`))
    live.follow((now, old) => told.push(`second ${old.revision} → ${now.revision}`))
    clock.now = 2_000
    const outcome = live.offer(slower, 'file')
    assert.equal(outcome.is, 'applied')
    assert.equal(live.current().dynamic.timeouts.connectMs, 9_000)
    assert.notEqual(live.current(), before)
    assert.deepEqual(told, ['first 1 → 2 true', 'second 1 → 2'])
    assert.deepEqual(counts, ['swapped file'])
    assert.deepEqual([live.status().revision, live.status().appliedAt], [2, 2_000])
    assert.deepEqual(
      saved.map(({ text, revision }) => [text, revision]),
      [
        [minimal, 1],
        [slower, 2],
      ],
    )
  })

  test('that means the same changes nothing and tells nobody', () => {
    const { live, counts } = liveWith(loaded(minimal))
    const before = live.current()
    live.follow(() => assert.fail('told'))
    const outcome = live.offer(`# a comment\n${minimal}timeouts: { connect: 5000ms }\n`, 'file')
    assert.equal(outcome.is, 'unchanged')
    assert.equal(live.current(), before)
    assert.deepEqual(counts, [])
    assert.match(live.dynamicText(), /^# a comment/)
  })

  test('with faults is refused whole, with all of them, and the running one stays', () => {
    const { live, counts, saved, clock } = liveWith(loaded(minimal))
    const before = live.current()
    live.follow(() => assert.fail('told'))
    clock.now = 3_000
    const outcome = live.offer(broken, 'api')
    assert.equal(outcome.is, 'refused')
    assert.deepEqual(outcome.is === 'refused' && outcome.faults.map((fault) => fault.path), ['timeouts.conect', 'routes[0].to'])
    assert.equal(live.current(), before)
    assert.equal(saved.length, 1)
    assert.deepEqual(counts, ['rejected api schema', 'rejected api cross-check'])
    assert.deepEqual(live.status().lastFault?.at, 3_000)
    assert.equal(live.offer(minimal, 'file').is, 'unchanged')
    assert.equal(live.status().lastFault, null)
  })

  test('is only checked by check', () => {
    const { live, counts } = liveWith(loaded(minimal))
    const before = live.current()
    live.check(slower)
    assert.throws(() => live.check(broken), ConfigError)
    assert.equal(live.current(), before)
    assert.deepEqual([counts, live.status().lastFault], [[], null])
  })

  test('a follower that throws keeps no other from hearing', () => {
    const { live, warnings } = liveWith(loaded(minimal))
    const heard: number[] = []
    live.follow(() => {
      throw new Error('defect')
    })
    const removed = live.follow(() => assert.fail('removed'))
    live.follow((now) => heard.push(now.revision))
    removed()
    assert.equal(live.offer(slower, 'file').is, 'applied')
    assert.deepEqual(heard, [2])
    assert.match(warnings[0] ?? '', /defect/)
  })
})

describe('the bootstrap half', () => {
  const withProcess = `bootstrap: { processes: { p: { command: [app], port: 3009 } } }
versions: { v1: { url: "http://127.0.0.1:3001" }, v3: { process: p } }
stable: v1
`
  test('brings new processes and allowed upstreams by a reload', () => {
    const { live } = liveWith(loaded(minimal))
    const outcome = live.offer(withProcess, 'file')
    assert.deepEqual(outcome.is === 'applied' && outcome.needsGeneration, [])
    assert.deepEqual(Object.keys(live.current().bootstrap.processes), ['p'])
    live.offer(`bootstrap: { allowUpstreams: [app2] }\nversions: { v1: { url: "http://app2:1" } }\nstable: v1\n`, 'file')
    assert.deepEqual(live.current().bootstrap.allowUpstreams, ['app2'])
  })

  test('alone can change: the hash stays, the revision goes on', () => {
    const { live } = liveWith(loaded(minimal))
    const { hash } = live.current()
    const outcome = live.offer(`bootstrap: { allowUpstreams: [loopback, app2] }\n${minimal}`, 'file')
    assert.equal(outcome.is, 'applied')
    assert.deepEqual([live.current().hash, live.current().revision], [hash, 2])
  })

  test('a changed listener, admin address, Redis, state folder or log waits for a new generation, and is said', () => {
    const { live } = liveWith(loaded(minimal))
    const before = live.current().bootstrap
    const text = `bootstrap:
  listeners: { public: { address: ":9000" } }
  admin: { address: "127.0.0.1:9901", tokenFile: t }
  redis: { url: "redis://127.0.0.1" }
  state: elsewhere
  log: { level: debug }
${slower}`
    const expected = ['bootstrap.listeners.public', 'bootstrap.admin', 'bootstrap.redis', 'bootstrap.state', 'bootstrap.log']
    const outcome = live.offer(text, 'file')
    assert.deepEqual(outcome.is === 'applied' && outcome.needsGeneration, expected)
    assert.deepEqual(live.current().bootstrap, before)
    assert.equal(live.current().dynamic.timeouts.connectMs, 9_000)
    assert.deepEqual(live.status().needsGeneration, expected)
    live.offer(slower, 'file')
    assert.deepEqual(live.status().needsGeneration, [])
  })

  test('that runs decides what clashes: a process cannot have the port of a listener that is still there', () => {
    const { live } = liveWith(loaded(minimal))
    const outcome = live.offer(
      `bootstrap: { listeners: { public: { address: ":9000" } }, processes: { p: { command: [a], port: 8080 } } }\n${minimal}`,
      'file',
    )
    assert.equal(outcome.is, 'refused')
    const [fault] = outcome.is === 'refused' ? outcome.faults : []
    assert.equal(fault?.path, 'bootstrap.processes.p.port')
    assert.match(fault?.hint ?? '', /until a new generation$/)
  })

  test('is never in the text that may be shown', () => {
    const { live } = liveWith(loaded(`bootstrap: { processes: { p: { command: [a], port: 1, env: { KEY: secret } } } }\n${minimal}`))
    assert.equal(live.dynamicText(), minimal)
  })
})

describe('revisions', () => {
  test('go on over a restart, and stay where the content is the same', () => {
    const sections = new Map<string, unknown>()
    liveWith(loaded(minimal), sections).live.offer(slower, 'file')
    assert.equal(liveWith(loaded(slower), sections).live.current().revision, 2)
    assert.equal(liveWith(loaded(minimal), sections).live.current().revision, 3)
  })

  for (const [what, stored] of [
    ['none', undefined],
    ['a number', 5],
    ['a text', { revision: 'x', hash: 'y' }],
    ['no whole number', { revision: 1.5, hash: '' }],
  ] as const) {
    test(`begin with 1 where the state holds ${what}`, () => {
      assert.equal(liveWith(loaded(minimal), new Map([['config', stored]])).live.current().revision, 1)
    })
  }
})

describe('staleness', () => {
  test('begins when the source is lost, keeps its beginning, and ends with the next configuration that is taken', () => {
    const { live, clock } = liveWith(loaded(minimal))
    assert.equal(live.status().stale, null)
    live.lost('no such file', 'file')
    clock.now = 5_000
    live.lost('no such file', 'file')
    assert.deepEqual(live.status().stale, { since: 1_000, reason: 'no such file' })
    live.offer(broken, 'file')
    assert.match(live.status().stale?.reason ?? '', /conect/)
    live.offer(minimal, 'file')
    assert.equal(live.status().stale, null)
  })

  test('a start from the last good says so, with the fault, and is not saved as new', () => {
    const fault = new ConfigError([
      {
        source: 'baton.yaml',
        line: null,
        column: null,
        path: '',
        found: 'no such file',
        expected: 'a readable file',
        hint: null,
        reason: 'unreadable',
      },
    ])
    const { live, saved } = liveWith({ text: minimal, name: 'baton.yaml', config: parse(minimal), remote: null, fault })
    assert.equal(live.status().stale?.reason, fault.message)
    assert.deepEqual(live.status().lastFault?.faults, fault.faults)
    assert.deepEqual(saved, [])
  })
})
