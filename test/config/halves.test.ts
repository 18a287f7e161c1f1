import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readDocument } from '../../src/config/document.ts'
import { dynamicText, replaceDynamic } from '../../src/config/halves.ts'

const file = `# yaml-language-server: $schema=baton.schema.json

# who listens
bootstrap: # the local half
  state: .baton   # odd   spacing

  # a comment within
  allowUpstreams: [ loopback,unix ]

# the versions
versions: { v1: { url: "http://127.0.0.1:1" } }
stable: v1
`

describe('replacing the dynamic half', () => {
  test('keeps the bootstrap half and its comments to the letter', () => {
    assert.equal(
      replaceDynamic(file, '# mine\nversions: { v2: {} }\nstable: v2 # now\n'),
      `# yaml-language-server: $schema=baton.schema.json

# who listens
bootstrap: # the local half
  state: .baton   # odd   spacing

  # a comment within
  allowUpstreams: [ loopback,unix ]

# mine
versions: { v2: {} }
stable: v2 # now
`,
    )
  })

  test('finds a bootstrap half that does not come first', () => {
    const text = 'stable: v1\n# mine\nbootstrap:\n  state: x\nversions: {}\n'
    assert.equal(replaceDynamic(text, 'stable: v2\n'), '# mine\nbootstrap:\n  state: x\nstable: v2\n')
  })

  test('a file without a bootstrap half keeps its opening comment', () => {
    assert.equal(replaceDynamic('# about\n\nstable: v1\n', 'stable: v2\n'), '# about\n\nstable: v2\n')
  })

  test('a file that does not end with a line break', () => {
    assert.equal(replaceDynamic('stable: v1\nbootstrap: { state: x }', 'stable: v2'), 'bootstrap: { state: x }\nstable: v2')
  })

  test('JSON that is put into YAML becomes YAML, and into JSON stays JSON', () => {
    assert.equal(replaceDynamic('bootstrap: { state: x }\nstable: v1\n', '{"stable": "v2"}'), 'bootstrap: { state: x }\nstable: v2\n')
    assert.equal(
      replaceDynamic('{"bootstrap": {"state": "x"}, "stable": "v1"}', 'stable: v2'),
      '{\n  "bootstrap": {\n    "state": "x"\n  },\n  "stable": "v2"\n}\n',
    )
  })

  test('a document with its own marks and indentation is written anew', () => {
    assert.equal(
      replaceDynamic('bootstrap: { state: x }\n', '---\n  stable: v2\n  servedBy: true\n'),
      'bootstrap: { state: x }\nstable: v2\nservedBy: true\n',
    )
  })

  test('what cannot be cut is left alone', () => {
    assert.equal(replaceDynamic('{ bootstrap: { state: x }, stable: v1 } # flow', 'stable: v2'), null)
    assert.equal(replaceDynamic('base: &s x\nbootstrap: { state: *s }\n', 'stable: v2'), null)
  })

  test('whatever is put, the joined text says both halves and nothing else', () => {
    const key = fc.stringMatching(/^[a-z]{1,8}$/).filter((name) => name !== 'bootstrap')
    const dynamic = fc.dictionary(key, fc.jsonValue(), { minKeys: 1, maxKeys: 4 })
    fc.assert(
      fc.property(dynamic, dynamic, (before, after) => {
        const text = `bootstrap:\n  a: 1 # one\n${Object.entries(before)
          .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
          .join('')}`
        const joined = replaceDynamic(text, JSON.stringify(after)) ?? ''
        assert.ok(joined.startsWith('bootstrap:\n  a: 1 # one\n'))
        assert.deepEqual(JSON.parse(JSON.stringify(readDocument(joined, 'x').value)), {
          bootstrap: { a: 1 },
          ...JSON.parse(JSON.stringify(after)),
        })
      }),
      { numRuns: 200, seed: 42 },
    )
  })
})

describe('the dynamic half as a text', () => {
  test('is what is left without the bootstrap half and the file’s own comment', () => {
    assert.equal(dynamicText(file), '# the versions\nversions: { v1: { url: "http://127.0.0.1:1" } }\nstable: v1\n')
    assert.equal(dynamicText('stable: v1\nbootstrap:\n  state: x\n# v\nversions: {}\n'), 'stable: v1\n# v\nversions: {}\n')
    assert.equal(dynamicText('{"bootstrap": {"state": "x"}, "stable": "v1"}'), '{\n  "stable": "v1"\n}\n')
  })

  test('can be put back', () => assert.equal(replaceDynamic(file, dynamicText(file)), file))
})
