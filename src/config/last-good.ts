/**
 * `last-good.json`: the document that was last applied, for a generation that starts while the source cannot be read or has faults.
 * It holds both halves, since without the bootstrap half nothing could be started from it.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../errors.ts'
import { CoalescedFile, type Warn } from './coalesced-file.ts'
import { isMapping } from './mapping.ts'

export interface LastGood {
  /** The document as its source had it. */
  readonly text: string
  readonly hash: string
  readonly revision: number
  /** ms since the epoch */
  readonly savedAt: number
}

const format = 1

function pathIn(folder: string): string {
  return join(folder, 'last-good.json')
}

export class LastGoodFile {
  readonly #file: CoalescedFile

  constructor(folder: string, warn: Warn) {
    this.#file = new CoalescedFile(pathIn(folder), warn)
  }

  save(lastGood: LastGood): void {
    this.#file.write(() => JSON.stringify({ v: format, ...lastGood }))
  }

  close(): Promise<void> {
    return this.#file.flush()
  }
}

/** Null if there is none; one that cannot be understood is warned of. */
export async function readLastGood(folder: string, warn: Warn): Promise<LastGood | null> {
  const path = pathIn(folder)
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (isMapping(value) && value.v === format) {
      const { text, hash, revision, savedAt } = value
      if (typeof text === 'string' && typeof hash === 'string' && typeof revision === 'number' && typeof savedAt === 'number') {
        return { text, hash, revision, savedAt }
      }
    }
    throw new Error(`not a last-good file of format ${format}`)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') warn(`${path} cannot be read`, error)
    return null
  }
}
