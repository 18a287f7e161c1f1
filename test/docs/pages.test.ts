/** What the pages for people show has to work: links lead somewhere, and every whole configuration passes `baton check`. */
import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runBaton } from '../kit/baton.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))

/** The anchors of a page's headings, as code forges make them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    (title ?? '')
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  )
}

describe('pages for people', () => {
  test('every relative link leads to a file, and every anchor to a heading', () => {
    const broken = pages.flatMap(({ file, text }) =>
      [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
        .filter(([, path, anchor]) => {
          const target = path === '' || path === undefined ? join(root, file) : join(root, dirname(file), path)
          if (!existsSync(target)) return true
          return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor)
        })
        .map(([link]) => `${file}: ${link}`),
    )
    assert.deepEqual(broken, [])
  })

  test('every whole configuration passes baton check', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-docs-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const blocks = pages.flatMap(({ file, text }) =>
      [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block]) => ({ file, block: block ?? '' })),
    )
    const whole = blocks.filter(({ block }) => /^versions:/m.test(block) && /^stable:/m.test(block))
    assert.ok(whole.length >= 2)
    for (const { file, block } of whole) {
      const path = join(folder, 'example.yaml')
      writeFileSync(path, block)
      const { code, stderr } = await runBaton(['check', path])
      assert.equal(code, 0, `${file}:\n${block}\n${stderr}`)
    }
  })

  test('every npm script that a page names is there', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    const named = pages.flatMap(({ text }) => [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? ''))
    assert.deepEqual(
      named.filter((name) => scripts[name] === undefined),
      [],
    )
  })
})
