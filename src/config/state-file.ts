/**
 * `state.json`: what baton must know after a restart, in sections that other parts own (`config`, `retired`, `health` …).
 * A missing or corrupt file is an empty one: it never stops a start.
 */
import { mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../errors.ts'
import { CoalescedFile, type Warn } from './coalesced-file.ts'
import { isMapping } from './mapping.ts'

const format = 1

export class StateFile {
  readonly #sections: Map<string, unknown>
  readonly #file: CoalescedFile

  private constructor(path: string, sections: Map<string, unknown>, warn: Warn) {
    this.#sections = sections
    this.#file = new CoalescedFile(path, warn)
  }

  /** Makes the folder (0700) if it is not there. Throws the system's error where that cannot be done. */
  static async open(folder: string, warn: Warn): Promise<StateFile> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, 'state.json')
    return new StateFile(path, await readSections(path, warn), warn)
  }

  /** What a section holds; its owner checks the shape. Undefined if it was never set. */
  get(section: string): unknown {
    return this.#sections.get(section)
  }

  /** `value` is JSON; it is written soon, with the changes that follow at once. */
  set(section: string, value: unknown): void {
    this.#sections.set(section, value)
    this.#file.write(() => JSON.stringify({ v: format, ...Object.fromEntries(this.#sections) }, null, 1))
  }

  /** Everything that was set is on disk, or was warned of. */
  close(): Promise<void> {
    return this.#file.flush()
  }
}

/** A section that holds texts by name; what is none is left out. */
export function textsIn(section: unknown): Readonly<Record<string, string>> {
  if (!isMapping(section)) return {}
  return Object.fromEntries(Object.entries(section).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

async function readSections(path: string, warn: Warn): Promise<Map<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (!isMapping(value) || value.v !== format) throw new Error(`not a state file of format ${format}`)
    return new Map(Object.entries(value).filter(([section]) => section !== 'v'))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return new Map()
    warn(`${path} cannot be read, begun anew; the old one is ${path}.corrupt`, error)
    await rename(path, `${path}.corrupt`).catch((failure: unknown) => warn(`${path} cannot be set aside`, failure))
    return new Map()
  }
}
