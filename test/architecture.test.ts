/** The house rules that neither the compiler nor the linter knows: who may import whom, and what stays out of the sources. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { computedImports, importsOf, type ScannedSource, scanSource, topLevelLines } from './kit/source-scan.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Left may be imported by right (DESIGN.md section 2). Those in one row never import each other, but for the pairs below. */
const order: readonly (readonly string[])[] = [
  ['errors', 'world'],
  ['telemetry'],
  ['routing'],
  ['config'],
  ['upstream'],
  ['proxy', 'rollout', 'cache', 'fleet', 'admin'],
  ['app', 'lifecycle'],
  ['cli'],
  ['main'],
]
/** Across the order, each with its reason. */
const alsoAllowed: readonly (readonly [from: string, to: RegExp, reason: string])[] = [
  ['keeper', /^src\/(errors|world)\.ts$/, 'the keeper stands apart from everything that a generation is made of'],
  ['upstream', /^src\/keeper\/protocol\.ts$/, 'a managed version is started through the keeper'],
  ['upstream', /^src\/keeper\/proc\.ts$/, 'an app that is retired by its pid is known as the keeper knows its own'],
  ['app', /^src\/keeper\/protocol\.ts$/, 'the composition root joins a generation to its keeper'],
  ['app', /^src\/lifecycle\.ts$/, 'the composition root hands its parts to the lifecycle'],
  ['lifecycle', /^src\/keeper\/protocol\.ts$/, 'the orders of the keeper are a generation’s signals'],
  ['cli', /^src\/keeper\//, '`baton run` is the keeper'],
]

/** Vendor → where alone it may be named: one file, or the parts of one. */
const vendorHomes: Readonly<Record<string, RegExp>> = {
  undici: /^src\/(upstream\/transport\/undici|config\/etcd\/gateway)\.ts$/,
  'http-proxy': /^src\/upstream\/transport\/websocket\.ts$/,
  ioredis: /^src\/cache\/redis\/connection\.ts$/,
  'lru-cache': /^src\/cache\/(view|client\/map)\.ts$/,
  'prom-client': /^src\/telemetry\/prometheus\.ts$/,
  diff: /^src\/cli\/text-diff\.ts$/,
  re2js: /^src\/routing\/regex\.ts$/,
  yaml: /^src\/config\/document\.ts$/,
  zod: /^src\/config\/schema(-values|-bootstrap|-etcd|-redis|-cache|-analysis|-rollout)?\.ts$/,
}

/** A timer of the world never keeps the process alive, and the keeper needs one that does. */
const ownTimers: readonly string[] = ['src/keeper/keeper.ts:']

interface Source extends ScannedSource {
  /** From the root: `src/proxy/exchange.ts`. */
  readonly file: string
  readonly text: string
}

const sources: readonly Source[] = globSync('src/**/*.ts', { cwd: root }).map((file) => {
  const text = readFileSync(join(root, file), 'utf8')
  return { file, text, ...scanSource(text) }
})

/** `src/proxy/inbound/http.ts` → `proxy`; `src/app.ts` → `app`. */
function unitOf(file: string): string {
  return file.split('/')[1]?.replace(/\.ts$/, '') ?? ''
}

function rowOf(unit: string): number {
  return order.findIndex((row) => row.includes(unit))
}

function mayImport(from: string, target: string): boolean {
  const [unit, other] = [unitOf(from), unitOf(target)]
  if (unit === other || alsoAllowed.some(([allowed, to]) => allowed === unit && to.test(target))) return true
  return rowOf(unit) !== -1 && rowOf(other) !== -1 && rowOf(other) < rowOf(unit)
}

/** The places, `file:line`, where a pattern stands in the code of sources that pass the filter. */
function placesOf(pattern: RegExp, allowed: (file: string) => boolean): string[] {
  return sources
    .filter(({ file }) => !allowed(file))
    .flatMap(({ file, bare }) =>
      bare.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [])),
    )
}

describe('architecture', () => {
  test('every part of src/ has a place in the order of imports', () => {
    const unknown = [...new Set(sources.map(({ file }) => unitOf(file)))].filter((unit) => unit !== 'keeper' && rowOf(unit) === -1)
    assert.deepEqual(unknown, [])
  })

  test('imports follow the order, types and dynamic ones included', () => {
    const wrong = sources.flatMap((source) =>
      importsOf(source)
        .filter((name) => name.startsWith('.'))
        .map((name) => normalize(join(dirname(source.file), name)))
        .filter((target) => target.startsWith('src/') && !mayImport(source.file, target))
        .map((target) => `${source.file} → ${target}`),
    )
    assert.deepEqual(wrong, [])
  })

  test('the sources import nothing from outside src/, and only modules that are written out', () => {
    const outside = sources.flatMap((source) =>
      importsOf(source)
        .filter((name) => name.startsWith('.') && !normalize(join(dirname(source.file), name)).startsWith('src/'))
        .map((name) => `${source.file} → ${name}`),
    )
    assert.deepEqual(outside, [])
    assert.deepEqual(
      sources.filter((source) => computedImports(source) > 0).map(({ file }) => file),
      [],
    )
  })

  test('each vendor is named in its own place, and every dependency has one', () => {
    const named = sources.flatMap((source) =>
      importsOf(source)
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        .map((name) => ({ file: source.file, vendor: /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name })),
    )
    assert.deepEqual(
      named.filter(({ file, vendor }) => vendorHomes[vendor]?.test(file) !== true),
      [],
    )
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
    assert.deepEqual(Object.keys(dependencies).sort(), Object.keys(vendorHomes).sort())
  })

  test('no file is a drawer', () => {
    const drawers = /(^|\/)(utils?|helpers?|common|types|managers?|misc|shared|lib)(\.[a-z.]+|\/)/
    const files = globSync('{src,test,scripts,examples,bench}/**/*.ts', { cwd: root })
    assert.deepEqual(
      files.filter((file) => drawers.test(file)),
      [],
    )
  })

  test('sources stay under 400 lines', () => {
    const tooLong = sources.filter(({ text }) => text.split('\n').length > 400)
    assert.deepEqual(
      tooLong.map(({ file }) => file),
      [],
    )
  })

  test('no module keeps mutable state', () => {
    const mutable =
      /^(export\s+)?(let|var)\s|^(export\s+)?const\s+\w+(:(?!\s*Readonly)[^=]*)?\s*=\s*(new\s+(Map|Set|WeakMap|WeakSet|Array)\b|\[\]|\{\})/
    const places = sources.flatMap((source) =>
      topLevelLines(source)
        .filter(({ text }) => mutable.test(text))
        .map(({ line, text }) => `${source.file}:${line} ${text}`),
    )
    assert.deepEqual(places, [])
  })

  test('clock, timers, randomness, environment and signals are read through world.ts alone', () => {
    const outside =
      /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|process\.(env|hrtime))\b|(?<![.\w])(setTimeout|setInterval)\((?!\))/
    const places = placesOf(outside, (file) => file === 'src/world.ts')
    const unexpected = places.filter((place) => !ownTimers.some((known) => place.startsWith(known)))
    assert.deepEqual(unexpected, [])
    const timers = sources.filter((source) => importsOf(source).some((name) => name.startsWith('node:timers')))
    assert.deepEqual(
      timers.map(({ file }) => file),
      [],
    )
    const signals = sources.filter(({ file, code }) => file !== 'src/world.ts' && /\bprocess\.(on|once)\(\s*['"`]SIG/.test(code))
    assert.deepEqual(
      signals.map(({ file }) => file),
      [],
    )
  })

  test('no source escapes the compiler or the linter, and none has a default export', () => {
    const escapes = /@ts-(ignore|expect-error|nocheck)|biome-ignore/
    assert.deepEqual(
      sources.filter(({ text }) => escapes.test(text)).map(({ file }) => file),
      [],
    )
    assert.deepEqual(
      placesOf(/^export default\b/, () => false),
      [],
    )
  })
})
