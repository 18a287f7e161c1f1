/** Whatever a text says, it is read or refused with faults; nothing else is thrown, and nothing is half read. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compileSnapshot } from '../../src/config/compile.ts'
import { parseDynamic } from '../../src/config/parse.ts'
import { ConfigError } from '../../src/errors.ts'
import { everyKey, minimal, parse } from './fixture.ts'
import { changed, pathsOf, placedJson } from './placed-json.ts'

const yaml = `# opening
bootstrap:
  listeners: { public: { address: ":8080", trustedHops: [10.0.0.0/8] } }
  processes:
    one: &base { command: [node, app.js], port: 3001, env: { A: "1" } }
  redis: { url: redis://127.0.0.1:6379/0, gateways: { v1: { address: "unix:/run/r.sock", mode: "0660" } }, names: n.txt }
versions:
  v1: { process: one }
  v2: { url: http://127.0.0.1:3002, push: /cache, health: { http: /healthz } }
stable: v1
candidate: v2
routes:
  - name: canary
    match: { headers: { x-canary: "true", x-v: { regex: "v[0-9]+", invert: true } } }
    to: candidate
    fallback: stable
  - { name: few, match: [{ path: { prefix: /api } }, { method: GET }], split: { stable: 95, candidate: 5 } }
sticky: { cookie: uid, or: { header: x-user-id } }
timeouts: { connect: 5s, exchange: off }
cache:
  prefixes: ["a:", 'b\\xff']
  warm: { from: [hot-names, { scan: "a:*" }, file], target: { keys: 10 }, require: 90%, rename: [{ from: "x:", to: "a:" }] }
  hotNames: { key: "h:", every: 5s }
accessLog: { sample: 0.01 }
`

function outcome(text: string): 'read' | 'refused' {
  try {
    const { bootstrap, dynamic } = parse(text)
    compileSnapshot(bootstrap, dynamic, 1)
    return 'read'
  } catch (error) {
    assert.ok(error instanceof ConfigError, `${error instanceof Error ? error.stack : error}\n${text}`)
    for (const fault of error.faults) {
      assert.ok(fault.found !== '' && fault.expected !== '')
      assert.ok(!/[\n\r]/.test(`${fault.path}${fault.found}${fault.expected}${fault.hint}`), 'one line each')
      if (fault.line !== null) assert.ok(fault.line >= 1 && fault.line <= text.split('\n').length + 1)
    }
    return 'refused'
  }
}

const noise = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom(
    ...'\n,  ,:,: ,- ,[,],{,},",\',&base ,*base,!!str ,? ,| ,# ,%,\t,<<: ,~,null,off,-1,1e99,0x10,.nan,.inf,__proto__,constructor,toString'.split(
      ',',
    ),
  ),
)

describe('a valid document, damaged', () => {
  test('in its text', () => {
    const edit = fc.tuple(fc.nat({ max: yaml.length }), fc.nat({ max: 12 }), noise)
    const seen = { read: 0, refused: 0 }
    const damaged = fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const text = edits.reduce((before, [at, length, insert]) => before.slice(0, at) + insert + before.slice(at + length), yaml)
      seen[outcome(text)]++
    })
    fc.assert(damaged, { numRuns: 600, seed: 42 })
    assert.ok(seen.read > 5 && seen.refused > 200, `nothing was tried: ${JSON.stringify(seen)}`)
  })

  test('by lines that are taken away, doubled or moved', () => {
    const lines = yaml.split('\n')
    fc.assert(
      fc.property(fc.array(fc.nat({ max: lines.length - 1 }), { maxLength: lines.length + 4 }), (order) => {
        outcome(order.map((index) => lines[index]).join('\n'))
      }),
      { numRuns: 150, seed: 42 },
    )
  })

  test('in its values', () => {
    const paths = pathsOf(everyKey)
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('__proto__', { __proto__: null }, 1e308, -0, '\u0000', '\ud800', '\u2028'))
    fc.assert(
      fc.property(fc.constantFrom(...paths), value, (path, wrong) => {
        outcome(placedJson(changed(everyKey, path, wrong)).text)
      }),
      { numRuns: 400, seed: 42 },
    )
  })
})

test('any text at all', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json()), (text) => {
      outcome(text)
      outcome(`${minimal}${text}`)
    }),
    { numRuns: 250, seed: 42 },
  )
})

describe('a dynamic half alone', () => {
  const { bootstrap } = parse(minimal)

  test('is read for the bootstrap half that runs', () => {
    assert.equal(parseDynamic(minimal, 'request', bootstrap).stable, 'v1')
  })

  test('must not bring a bootstrap half', () => {
    assert.throws(
      () => parseDynamic(`${minimal}bootstrap: {}\n`, 'request', bootstrap),
      (error) => {
        assert.ok(error instanceof ConfigError)
        const [fault, ...more] = error.faults
        assert.deepEqual(more, [])
        assert.deepEqual([fault?.source, fault?.line, fault?.path, fault?.found], ['request', 4, 'bootstrap', 'the bootstrap half'])
        return true
      },
    )
  })

  test('meets the processes and the allowed upstreams of the one that runs', () => {
    const text = 'versions: { v1: { process: gone }, v2: { url: "http://10.0.0.1:1" }, v3: { url: "http://127.0.0.1:8080" } }\nstable: v1\n'
    assert.throws(
      () => parseDynamic(text, 'request', bootstrap),
      (error) => {
        assert.ok(error instanceof ConfigError)
        assert.deepEqual(
          error.faults.map((fault) => [fault.path, fault.reason]),
          [
            ['versions.v1.process', 'cross-check'],
            ['versions.v2.url', 'cross-check'],
            ['versions.v3.url', 'cross-check'],
          ],
        )
        return true
      },
    )
  })
})
