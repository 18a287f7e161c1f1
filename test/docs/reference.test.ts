import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { referencePages } from '../../scripts/reference/pages.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string) => readFileSync(`${root}${file}`, 'utf8')

/** What baton's own processes tell each other; not for people. */
const internal = ['BATON_LISTENERS', 'BATON_KEEPER']

describe('the reference says what the code does', async () => {
  for (const [name, text] of Object.entries(await referencePages())) {
    test(`${name} is what npm run docs would write`, () => {
      const [written, wanted] = [read(`docs/reference/${name}`).split('\n'), text.split('\n')]
      const at = wanted.findIndex((line, index) => line !== written[index])
      assert.equal(written[at], wanted[at], `docs/reference/${name}:${at + 1} is not what the code says: run npm run docs`)
      assert.equal(written.length, wanted.length)
    })
  }

  test('every environment variable that baton reads is in cli.md', () => {
    const sources = globSync('src/**/*.ts', { cwd: root }).map((file) => read(`/${file}`))
    const variables = new Set(sources.flatMap((text) => [...text.matchAll(/\bBATON_[A-Z_]+/g)].map(([name]) => name)))
    const page = read('docs/reference/cli.md')
    assert.deepEqual(
      [...variables].filter((name) => !internal.includes(name) && !page.includes(`\`${name}\``)),
      [],
    )
  })

  test('every dependency has its line in decision 0004, and no other is there', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
    const lines = [...read('docs/decisions/0004-dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name)
    assert.deepEqual(lines.sort(), [...Object.keys(dependencies ?? {}), ...Object.keys(devDependencies ?? {})].sort())
  })

  test('every decision is in the list of decisions', () => {
    const list = read('docs/decisions/README.md')
    const pages = globSync('docs/decisions/0*.md', { cwd: root })
    assert.ok(pages.length > 0)
    for (const page of pages) assert.ok(list.includes(`(${page.split('/').pop()})`), page)
  })
})
