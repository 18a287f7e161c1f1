/**
 * `last-good.json`: the document that was last applied, for a generation that starts while the source cannot be read or has faults.
 * It holds both halves, since without the bootstrap half nothing could be started from it.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../errors.ts'
import { CoalescedFile, type Warn } from './coalesced-file.ts'
import { isMapping } from './mapping.ts'

/** A dynamic half that came from elsewhere than the file. */
export interface Remote {
  readonly text: string
  /** `etcd:/baton/shop/config`, for the faults. */
  readonly name: string
  /** The store's, at which the text was written. */
  readonly revision: number
  /** Whose revision it is. */
  readonly cluster: string
}

export interface LastGood {
  /** The file as it was, both halves. */
  readonly text: string
  /** What took the place of the file's dynamic half, if anything did. */
  readonly remote: Remote | null
  readonly hash: string
  readonly revision: number
  /** ms since the epoch */
  readonly savedAt: number
}

const format = 2

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
      const { text, remote, hash, revision, savedAt } = value
      const isOwn = typeof text === 'string' && typeof hash === 'string' && typeof revision === 'number' && typeof savedAt === 'number'
      if (isOwn && (remote === null || isRemote(remote))) return { text, remote, hash, revision, savedAt }
    }
    throw new Error(`not a last-good file of format ${format}`)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') warn(`${path} cannot be read`, error)
    return null
  }
}

function isRemote(value: unknown): value is Remote {
  if (!isMapping(value)) return false
  const { text, name, revision, cluster } = value
  return typeof text === 'string' && typeof name === 'string' && typeof revision === 'number' && typeof cluster === 'string'
}
