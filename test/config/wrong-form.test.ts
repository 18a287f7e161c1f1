/** Wrong configurations generated from the schema: one mistake gives one fault, at its place, in words, with what helps. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatPath } from '../../src/config/complaint.ts'
import { kindInWords } from '../../src/config/misread.ts'
import type { ConfigFault } from '../../src/errors.ts'
import { everyKey, faultsOf, parse } from './fixture.ts'
import { changed, type Path, type Place, pathsOf, placedJson, valueAt } from './placed-json.ts'
import { alternatives, type Form, formsAt, kindsOf, root } from './schema-forms.ts'

const samples: readonly [kind: string, value: unknown][] = [
  ['null', null],
  ['number', 7.25],
  ['boolean', true],
  ['string', 'no such thing'],
  ['array', []],
  ['object', {}],
]

const paths = pathsOf(everyKey)

/** The one fault of `document`, which has `wrong` at `path`. */
function onlyFault(document: unknown, path: Path, place: Place | undefined): ConfigFault {
  const faults = faultsOf(placedJson(document).text)
  assert.deepEqual(
    faults.map((fault) => fault.path),
    [formatPath(path)],
  )
  const [fault] = faults
  assert.ok(fault && place)
  assert.equal(fault.source, 'baton.yaml')
  assert.deepEqual([fault.line, fault.column], [place.line, place.column])
  assert.notEqual(fault.expected, '')
  assert.doesNotMatch(`${fault.found} ${fault.expected} ${fault.hint}`, /Invalid input|undefined|\[object/)
  return fault
}

test('the document that the mistakes are made in has none', () => void parse(placedJson(everyKey).text))

/** All that match texts take the same keys, and of some keys only one may be there. */
const shownElsewhere = /^routes\.match\.(host|query\.\*|cookies\.\*)\.|^(health\.tcp|bootstrap\.redis\.url|cache\.everyKey)$/
/** Kinds of a match, whose names say all. */
const saysItself = /\.(exact|prefix|suffix|contains|oneOf|present|regex|cidrs|header|sample)$/

test('the document uses every key of the schema, and every key has its reason', () => {
  const used = paths.map((path) => path.filter((part) => typeof part === 'string'))
  const walk = (form: Form, path: readonly string[]): void => {
    for (const one of alternatives(form)) {
      if (one.items) walk(one.items, path)
      if (typeof one.additionalProperties === 'object') walk(one.additionalProperties, [...path, '*'])
      for (const [key, inner] of Object.entries(one.properties ?? {})) {
        const place = [...path, key]
        const name = place.join('.')
        assert.ok(shownElsewhere.test(name) || used.some((other) => matches(place, other)), `${name} is not in the document`)
        assert.ok(saysItself.test(name) || inner.description, `${name} has no reason`)
        walk(inner, place)
      }
    }
  }
  walk(root, [])
})

function matches(pattern: Path, parts: Path): boolean {
  return parts.length === pattern.length && pattern.every((part, index) => part === '*' || part === parts[index])
}

describe('a value of the wrong kind', () => {
  for (const path of paths) {
    const kinds = new Set(formsAt(path).flatMap(kindsOf))
    for (const [kind, value] of samples.filter(([sample]) => !kinds.has(sample))) {
      test(`${formatPath(path)}: ${kind}`, () => {
        const document = changed(everyKey, path, value)
        const fault = onlyFault(document, path, placedJson(document).value(path))
        const words = {
          null: /nothing/,
          number: /number/,
          boolean: /boolean/,
          string: /"no such thing"|a text/,
          array: /list/,
          object: /mapping/,
        }
        assert.match(fault.found, words[kind as keyof typeof words])
        assert.equal(fault.reason, 'schema')
      })
    }
  }
})

describe('a misspelt key', () => {
  for (const path of [[], ...paths]) {
    const own = valueAt(everyKey, path)
    const known = formsAt(path).flatMap((form) => Object.keys(form.properties ?? {}))
    const key = known[0]
    if (key === undefined || typeof own !== 'object' || Array.isArray(own)) continue
    test(`${formatPath([...path, `${key}x`])}`, () => {
      const wrong = [...path, `${key}x`]
      const document = changed(everyKey, wrong, 'x')
      const fault = onlyFault(document, wrong, placedJson(document).key(wrong))
      assert.equal(fault.found, `the unknown key "${key}x"`)
      assert.match(fault.hint ?? '', /^did you mean \w+\?$/)
    })
  }
})

describe('a missing key', () => {
  for (const path of [[], ...paths]) {
    for (const key of new Set(formsAt(path).flatMap((form) => form.required ?? []))) {
      const missing = [...path, key]
      if (valueAt(everyKey, missing) === undefined) continue
      test(formatPath(missing), () => {
        const document = changed(everyKey, missing, undefined)
        const json = placedJson(document)
        const fault = onlyFault(document, missing, json.key(path) ?? json.value(path))
        assert.equal(fault.found, 'nothing')
      })
    }
    const oneOf = formsAt(path).flatMap((form) => form.oneOf ?? [])
    const given = oneOf.flatMap(({ required }) => required).find((key) => valueAt(everyKey, [...path, key]) !== undefined)
    if (given === undefined || typeof valueAt(everyKey, path) !== 'object') continue
    test(`${formatPath(path)}: none of what it needs one of`, () => {
      const document = changed(everyKey, [...path, given], undefined)
      const fault = onlyFault(document, path, placedJson(document).value(path))
      assert.match(fault.expected, /^exactly one of /)
      assert.equal(fault.found, 'none of them')
    })
  }
})

/** Values of the right kind that a form does not take. */
function outOfRange(form: Form): unknown[] {
  const { minimum, maximum, exclusiveMinimum, pattern, minItems } = form
  return [
    ...(minimum === undefined ? [] : [minimum - 1, minimum + 0.5]),
    ...(maximum === undefined ? [] : [maximum + 1]),
    ...(exclusiveMinimum === undefined ? [] : [exclusiveMinimum, exclusiveMinimum - 1]),
    ...(form.enum || typeof form.const === 'string' ? ['nothing like it'] : []),
    ...(form.const === true ? [false] : []),
    ...(pattern !== undefined && pattern !== '.' ? ['\u0001'] : []),
    ...(pattern === '.' ? [''] : []),
    ...(minItems === undefined ? [] : [[]]),
    ...(form['x-range'] === undefined ? [] : beyond(form['x-range'])),
  ]
}

function beyond(range: string): string[] {
  const [min = '', max = ''] = range.split(' to ')
  const moved = (text: string, by: number) => text.replace(/^\d+/, (digits) => String(Number(digits) + by))
  return [...(/^[1-9]/.test(min) ? [moved(min, -1).replace(/^0.*/, '0')] : []), moved(max, 1)]
}

describe('a value out of range', () => {
  for (const path of paths) {
    const own = valueAt(everyKey, path)
    const kind = Array.isArray(own) ? 'array' : typeof own
    const forms = formsAt(path).filter((form) => kindsOf(form).includes(kind))
    for (const value of new Set(forms.flatMap(outOfRange))) {
      test(`${formatPath(path)}: ${JSON.stringify(value)}`, () => {
        const document = changed(everyKey, path, value)
        const fault = onlyFault(document, path, placedJson(document).value(path))
        if (path.includes('env')) assert.equal(fault.found, kindInWords(value))
      })
    }
  }
})
