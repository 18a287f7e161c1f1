/** A file of names, one a line, their bytes as they are; hottest first, if whoever wrote it knew. */
import { createReadStream } from 'node:fs'
import { type Name, nameOf } from '../../entry.ts'
import type { NameSource } from './name-source.ts'

/** A longer one is left out, as is an empty one. */
const maxLineBytes = 16_384

export function namesFile(path: string): NameSource {
  return {
    is: 'file',
    names: () => linesOf(createReadStream(path)),
  }
}

/** A piece a chunk. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Name[]> {
  let begun = Buffer.alloc(0)
  let isTooLong = false
  for await (const chunk of chunks) {
    const lines: Name[] = []
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([begun, chunk.subarray(from, end)])
      if (!isTooLong) lines.push(...nameIn(line))
      begun = Buffer.alloc(0)
      isTooLong = false
      from = end + 1
    }
    isTooLong ||= begun.length + chunk.length - from > maxLineBytes
    begun = isTooLong ? Buffer.alloc(0) : Buffer.concat([begun, chunk.subarray(from)])
    yield lines
  }
  if (!isTooLong) yield nameIn(begun)
}

function nameIn(line: Buffer): Name[] {
  const name = nameOf(line.at(-1) === 13 ? line.subarray(0, -1) : line)
  return name.length > 0 && name.length <= maxLineBytes ? [name] : []
}
