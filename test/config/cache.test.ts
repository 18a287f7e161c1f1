/** What baton keeps of the app's Redis, as a configuration says it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readKeyText, showKeyText } from '../../src/config/key-text.ts'
import { Misread } from '../../src/config/misread.ts'
import { type Case, check } from './faults-in-words.ts'
import { minimal, parse } from './fixture.ts'

const redis = 'bootstrap: { redis: { url: "redis://r" } }\n'
const cache = (keys: string): string => `${redis}${minimal}cache: { ${keys} }\n`
/** With prefixes. */
const kept = (keys: string): string => cache(`prefixes: ["a:", "b:"], ${keys}`)

function settled(text: string) {
  return parse(text).dynamic.cache ?? assert.fail('no cache')
}

describe('a cache', () => {
  test('that says only what it must has every default', () => {
    assert.deepEqual(settled(cache('prefixes: ["catalogue:"]')), {
      prefixes: ['catalogue:'],
      tracking: 'broadcast',
      stalenessMs: 1_000,
      consistency: 'session',
      memoryBytes: 67_108_864,
      maxValueBytes: 65_536,
      maxFields: 512,
      maxAgeMs: 300_000,
      absent: { memoryBytes: 1_048_576, maxAgeMs: 30_000 },
      refresh: { everyMs: 100, perSecond: 2_000 },
      warm: {
        from: [{ is: 'other-version' }, { is: 'hot-names' }],
        batch: 64,
        rate: 10_000,
        deadlineMs: 30_000,
        target: { keys: 100_000, bytes: null, predicted: null },
        require: null,
        rename: [],
      },
      hotNames: { key: 'baton:hot:', everyMs: 30_000, ttlMs: 3_600_000, top: 1_000 },
      push: { leaseMs: 1_000, batch: 256, timeoutMs: 1_000 },
    })
  })

  test('of every key has the one empty prefix, and its hot names are within it: nowhere would be outside', () => {
    const { prefixes, hotNames } = settled(cache('everyKey: true'))
    assert.deepEqual([prefixes, hotNames?.key], [[''], 'baton:hot:'])
  })

  test('without hot names warms from the other version alone, unless it says more', () => {
    const { hotNames, warm } = settled(kept('hotNames: off'))
    assert.deepEqual([hotNames, warm.from], [null, [{ is: 'other-version' }]])
    assert.deepEqual(settled(kept('warm: { from: [] }')).warm.from, [])
  })

  test('warms from what it names, in that order', () => {
    const text = kept('warm: { from: [file, { scan: "a:*" }, hot-names, other-version] }').replace('"redis://r"', '"redis://r", names: n')
    assert.deepEqual(settled(text).warm.from, [
      { is: 'file' },
      { is: 'scan', pattern: 'a:*' },
      { is: 'hot-names' },
      { is: 'other-version' },
    ])
  })

  test('keeps no missing key where absent memory is off', () => {
    assert.equal(settled(kept('absent: { memory: off }')).absent.memoryBytes, 0)
  })

  test('is none where nothing is said of it, and a version has no push', () => {
    const { dynamic } = parse(`${redis}${minimal}`)
    assert.deepEqual([dynamic.cache, dynamic.versions.v1?.push], [null, null])
    const pushed = parse(`${redis}versions: { v1: { socket: /a, push: /baton/cache } }\nstable: v1\ncache: { everyKey: true }\n`)
    assert.equal(pushed.dynamic.versions.v1?.push, '/baton/cache')
  })
})

describe('a key’s text', () => {
  const cases: readonly (readonly [text: string, bytes: string, shown: string])[] = [
    ['catalogue:', 'catalogue:', '"catalogue:"'],
    ['café:', 'caf\u00c3\u00a9:', '"café:"'],
    ['\\xac\\xED\\x00\\x05t', '\u00ac\u00ed\u0000\u0005t', '"\\xac\\xed\\x00\\x05t"'],
    ['\\x5cx41', '\\x41', '"\\\\x41"'],
    ['a\\*b', 'a\\*b', '"a\\\\*b"'],
    ['a\nb', 'a\nb', '"a\\nb"'],
  ]
  for (const [text, bytes, shown] of cases) {
    test(`${JSON.stringify(text)} is ${Buffer.from(bytes, 'latin1').toString('hex')}`, () => {
      assert.equal(readKeyText(text, 'a key'), bytes)
      assert.equal(showKeyText(bytes), shown)
    })
  }

  test('is not empty, and not endless', () => {
    assert.ok(readKeyText('', 'a key') instanceof Misread)
    const long = readKeyText('é'.repeat(513), 'a key')
    assert.ok(long instanceof Misread)
    assert.deepEqual([long.expected, long.found], ['at most 1024 bytes', '1026 bytes'])
  })
})

const form: Case[] = [
  ['nothing to keep', cache(''), ':5:8 cache: found none of them, expected exactly one of prefixes, everyKey'],
  [
    'every key beside prefixes',
    kept('everyKey: true'),
    ':5:8 cache: found prefixes and everyKey, expected exactly one of prefixes, everyKey',
  ],
  ['every key denied', cache('everyKey: false'), ':5:20 cache.everyKey: found false (a boolean), expected true'],
  [
    'an empty prefix',
    cache('prefixes: [""]'),
    ':5:21 cache.prefixes[0]: found "", expected what keys begin with, such as catalogue:, not empty (for every key write everyKey: true in place of prefixes)',
  ],
  ['no prefix', cache('prefixes: []'), ':5:20 cache.prefixes: found an empty list, expected at least 1 entry'],
  [
    'too many prefixes',
    cache(`prefixes: [${Array.from({ length: 65 }, (_, index) => `p${index}`)}]`),
    ':5:20 cache.prefixes: found a list, expected at most 64 entries',
  ],
  [
    'a prefix that is no text',
    cache('prefixes: [7]'),
    ':5:21 cache.prefixes[0]: found 7 (a number), expected what keys begin with, such as catalogue: (quote it: "7")',
  ],
  ['one prefix that is no list', cache('prefixes: "a:"'), ':5:20 cache.prefixes: found "a:", expected a list (write a list: [a:])'],
  [
    'a staleness that no heartbeat could keep',
    kept('staleness: 100ms'),
    ':5:45 cache.staleness: found "100ms", expected a duration from 250ms to 1m',
  ],
  [
    'tracking of another kind',
    kept('tracking: brodcast'),
    ':5:44 cache.tracking: found "brodcast", expected broadcast or keys (did you mean broadcast?)',
  ],
  [
    'a source of another name',
    kept('warm: { from: [hot-name] }'),
    ':5:49 cache.warm.from[0]: found "hot-name", expected other-version, hot-names or file',
  ],
  [
    'a source of another kind',
    kept('warm: { from: [{ scann: "a:*" }] }'),
    ':5:49 cache.warm.from[0].scan: found nothing, expected a pattern such as catalogue:*',
    ':5:51 cache.warm.from[0].scann: found the unknown key "scann", expected a known key (did you mean scan?)',
  ],
  [
    'a share without percent',
    kept('warm: { require: 0.9 }'),
    ':5:51 cache.warm.require: found 0.9 (a number), expected a percentage from 0% to 100% (write 90%)',
  ],
  ['hot names as a switch', kept('hotNames: on'), ':5:44 cache.hotNames: found "on", expected off or a mapping'],
  [
    'a push that is no path',
    'versions: { v1: { url: "http://127.0.0.1:1", push: "http://a/b" } }\nstable: v1\n',
    ':1:52 versions.v1.push: found "http://a/b", expected a path that begins with /',
  ],
]

const rules: Case[] = [
  [
    'a cache without Redis',
    `${minimal}cache: { everyKey: true }\n`,
    ":4:1 cache: found cache alone, expected bootstrap.redis and cache together (bootstrap.redis says where the app's Redis is)",
  ],
  [
    'a prefix within another',
    cache('prefixes: ["a:", "b:", "a:b:"]'),
    ':5:33 cache.prefixes[2]: found "a:b:", expected a prefix that begins with no other, and no other with it (cache.prefixes[0] is "a:")',
  ],
  [
    'a prefix around another',
    cache('prefixes: ["\\\\xffb", "\\\\xff"]'),
    ':5:31 cache.prefixes[1]: found "\\xff", expected a prefix that begins with no other, and no other with it (cache.prefixes[0] is "\\xffb")',
  ],
  [
    'a prefix twice',
    cache('prefixes: ["a", "a"]'),
    ':5:26 cache.prefixes[1]: found "a", expected a prefix that begins with no other, and no other with it (cache.prefixes[0] is "a")',
  ],
  [
    'a file that bootstrap does not name',
    kept('warm: { from: [file] }'),
    ':5:49 cache.warm.from[0]: found file, expected another source, or bootstrap.redis.names (bootstrap.redis.names is the file)',
  ],
  [
    'hot names among what is cached',
    kept('hotNames: { key: "a:hot:" }'),
    ':5:51 cache.hotNames.key: found "a:hot:", expected keys outside of the cached prefixes ("a:" is cached)',
  ],
  [
    'hot names around what is cached, by default',
    cache('prefixes: ["baton:"]'),
    ':5:1 cache.hotNames.key: found "baton:hot:", expected keys outside of the cached prefixes ("baton:" is cached)',
  ],
  [
    'hot names that are gone before they are written again',
    kept('hotNames: { every: 1m, ttl: 60s }'),
    ':5:44 cache.hotNames: found ttl 1m and every 1m, expected a ttl longer than every (set both)',
  ],
  [
    'hot names as a source, and off',
    kept('hotNames: off, warm: { from: [hot-names] }'),
    ':5:64 cache.warm.from[0]: found hot-names, expected another source while hotNames is off',
  ],
  [
    'a predicted ratio, and nothing to predict by',
    kept('hotNames: off, warm: { target: { predicted: 90% } }'),
    ':5:78 cache.warm.target.predicted: found 90%, expected another target while hotNames is off',
  ],
  [
    'a name renamed to what is not cached',
    kept('warm: { rename: [{ from: "a:", to: "b:2:" }, { from: "a:", to: "c:" }] }'),
    ':5:97 cache.warm.rename[1].to: found "c:", expected names within the cached prefixes (cached is "a:", "b:")',
  ],
  [
    'a scan of what is not cached',
    kept('warm: { from: [{ scan: "c:*" }] }'),
    ':5:57 cache.warm.from[0].scan: found "c:*", expected a pattern of names within the cached prefixes (cached is "a:", "b:")',
  ],
  [
    'a value larger than all memory',
    kept('memory: 1MiB, maxValue: 2MiB'),
    ':5:58 cache.maxValue: found 2MiB, expected at most the memory of the cache, 1MiB',
  ],
  [
    'a target larger than all memory',
    kept('warm: { target: { bytes: 65MiB } }'),
    ':5:59 cache.warm.target.bytes: found 65MiB, expected at most the memory of the cache, 64MiB',
  ],
  [
    'a push without a cache',
    `${redis}versions: { v1: { socket: /a, push: /baton/cache } }\nstable: v1\n`,
    ':2:37 versions.v1.push: found push alone, expected cache and push together',
  ],
]

describe('a cache that cannot be read', () => check(form, 'schema'))
describe('a cache that contradicts itself, or the rest', () => check(rules, 'cross-check'))

test('what may be within the cached prefixes is taken', () => {
  for (const keys of [
    'warm: { from: [{ scan: "*" }, { scan: "a*" }, { scan: "[ab]:*" }, { scan: "a:x*" }] }',
    'warm: { rename: [{ from: "old:", to: "a:" }], from: [{ scan: "old:*" }] }',
    'warm: { rename: [{ from: "x", to: "a" }] }',
    'hotNames: { key: "c:" }',
    'memory: 1MiB, maxValue: 1MiB, warm: { target: { bytes: 1MiB } }',
  ])
    parse(kept(keys))
})

test('faults of the cache do not hide those of the rest, nor the other way round', () => {
  const text = `${redis}versions: { v1: { url: "http://127.0.0.1:1", push: cache } }\nstable: v2\ncache: { prefixes: ["a", "ab"], memory: 64kb }\n`
  assert.throws(() => parse(text), /push: found "cache"(?:.|\n)*stable: found "v2"(?:.|\n)*memory: found "64kb"(?:.|\n)*write 64KiB/)
  const crossed = text.replace(', memory: 64kb', '')
  assert.throws(() => parse(crossed), /push: found "cache"(?:.|\n)*stable: found "v2"(?:.|\n)*prefixes\[1\]: found "ab"/)
})
