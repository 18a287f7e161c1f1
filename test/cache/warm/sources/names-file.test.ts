import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { linesOf, namesFile } from '../../../../src/cache/warm/sources/names-file.ts'

async function* cutAt(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  for (const [index, end] of at.slice(1).entries()) yield bytes.subarray(at[index], end)
}

async function flat(pieces: AsyncIterable<readonly string[]>): Promise<string[]> {
  const all: string[] = []
  for await (const piece of pieces) all.push(...piece)
  return all
}

describe('a file of names', () => {
  test('gives its lines as they are, wherever the chunks are cut, with or without a last line feed', async () => {
    const line = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat(), { maxLength: 8 }), fc.constantFrom('', '\n'), async (texts, cuts, last) => {
        const lines = texts.map((text) => text.replaceAll(/[\r\n]/g, ' '))
        const bytes = Buffer.from(lines.join('\n') + last, 'latin1')
        assert.deepEqual(
          await flat(linesOf(cutAt(bytes, cuts))),
          lines.filter((each) => each !== ''),
        )
      }),
    )
  })

  test('has CR LF as well, and a line that is too long is left out, in one chunk or many', async () => {
    const long = 'x'.repeat(16_385)
    const bytes = Buffer.from(`a\r\n${long}\nb\r\n\r\n${long}`)
    for (const cuts of [[], [10_000], [3, 16_380, 16_388, 16_391]]) assert.deepEqual(await flat(linesOf(cutAt(bytes, cuts))), ['a', 'b'])
  })

  test('is read from the disk piece by piece; one that is not there says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-names-'))
    try {
      const names = Array.from({ length: 20_000 }, (_, at) => `catalogue:${at}`)
      writeFileSync(join(folder, 'names'), names.join('\n'))
      const pieces: (readonly string[])[] = []
      for await (const piece of namesFile(join(folder, 'names')).names()) pieces.push(piece)
      assert.deepEqual(pieces.flat(), names)
      assert.ok(pieces.length > 2)
      await assert.rejects(flat(namesFile(join(folder, 'none')).names()), { code: 'ENOENT' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
