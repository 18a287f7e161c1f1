import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { computedImports, importsOf, scanSource, topLevelLines } from './source-scan.ts'

describe('the source scanner', () => {
  test('finds every form of import, and none in comments or text', () => {
    const source = scanSource(`
      import { a,
        b } from './a.ts'
      import type { C } from './c.ts'
      import './side-effect.ts'
      export * from './d.ts'
      export type { E } from "./e.ts"
      // import './comment.ts'
      /* import x from './block.ts' */
      const text = 'import y from "./text.ts"'
      const lazy = await import('./lazy.ts')
      type F = import('./f.ts').F
      const list = Array.from('abc')
      const quote = /['"]/.test(text) // import './after-regex.ts'
    `)
    assert.deepEqual(
      importsOf(source)
        .filter((name) => name !== './text.ts')
        .sort(),
      ['./a.ts', './c.ts', './d.ts', './e.ts', './f.ts', './lazy.ts', './side-effect.ts'],
    )
    assert.equal(source.code.includes('after-regex'), false)
  })

  test('counts dynamic imports that are not written out', () => {
    assert.equal(computedImports(scanSource("await import(name); await import('./x.ts')")), 1)
  })

  test('tells the top level from what is inside', () => {
    const lines = topLevelLines(scanSource("let a = 1\nfunction f() {\n  let b = '{'\n}\nlet c = `\nlet d\n`\n"))
    assert.deepEqual(
      lines.filter(({ text }) => /^let /.test(text)).map(({ line }) => line),
      [1, 5],
    )
  })
})
