/**
 * The file that the configuration comes from. Its folder is watched, since editors and ConfigMaps replace the file or a link on its way,
 * and its content is read again every 2 s, since watches miss things (network mounts, a replaced folder, no more inotify).
 *
 * A content is offered once, and only after two reads that agree, so that a file which is being written is not refused half-way.
 * All that touches the file goes through one queue.
 */
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConfigError, errorCode, errorMessage } from '../errors.ts'
import type { Timer, World } from '../world.ts'
import { writeAtomically } from './atomic-file.ts'
import type { Warn } from './coalesced-file.ts'
import { readConfigText } from './config-file.ts'
import { configKeyOf, nameOf } from './etcd/keys.ts'
import { replaceDynamic } from './halves.ts'
import type { LiveConfig, Outcome } from './live.ts'
import { parseDynamic } from './parse.ts'
import { type FolderWatch, type WatchFolder, watchFolder } from './watch-folder.ts'

export interface FileSourceParts {
  readonly path: string
  readonly live: LiveConfig
  readonly world: World
  readonly warn: Warn
  /** Told of what the watch brought; what `reload` and `put` bring, they return. */
  readonly onOutcome?: (outcome: Outcome) => void
  /** Default 2000. */
  readonly pollMs?: number
  /** Between the two reads that must agree. Default 50. */
  readonly settleMs?: number
  readonly watch?: WatchFolder
  readonly write?: typeof writeAtomically
}

export type PutOutcome =
  | Outcome
  /** The running dynamic half is not the one that the writer knew (412). */
  | { readonly is: 'changed-meanwhile'; readonly hash: string }
  /** The file cannot be replaced (409). */
  | { readonly is: 'not-replaceable'; readonly reason: string }

type Seen = { readonly text: string } | { readonly error: ConfigError }

export class FileSource {
  readonly #parts: FileSourceParts
  /** What was offered last, whether it was taken or refused. */
  #offered: string
  /** What was seen once, and is waited for to be seen again. */
  #seen: string | null = null
  #queue: Promise<unknown> = Promise.resolve()
  #watch: FolderWatch | null = null
  #poll: Timer | null = null
  #soon: Timer | null = null
  #stopped = false

  /** `initial` is the text that `live` began with; null if it was not the file's. */
  constructor(parts: FileSourceParts, initial: string | null) {
    this.#parts = parts
    this.#offered = initial === null ? '' : keyOf({ text: initial })
  }

  start(): void {
    const { world, path, warn, watch = watchFolder, pollMs = 2_000 } = this.#parts
    const lost = (error: unknown): void => warn(`the folder of ${path} cannot be watched; it is read every ${pollMs} ms`, error)
    try {
      this.#watch = watch(dirname(path), () => this.#lookSoon(), lost)
    } catch (error) {
      lost(error)
    }
    this.#poll = world.every(pollMs, () => this.#lookSoon(0))
  }

  /** Reads the file now and offers what it holds, changed or not. */
  reload(): Promise<Outcome> {
    return this.#inTurn(async () => this.#offer(await this.#read()))
  }

  /**
   * Replaces the file's dynamic half and applies it. `ifMatch` is the hash that the writer knows; null is any.
   * Nothing has changed unless the outcome is `applied` or `unchanged`.
   */
  put(dynamic: string, ifMatch: string | null): Promise<PutOutcome> {
    return this.#inTurn(() => this.#put(dynamic, ifMatch))
  }

  /** Idempotent; ends when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#watch?.close()
    this.#poll?.cancel()
    this.#soon?.cancel()
    await this.#queue
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(act)
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  #lookSoon(delayMs = this.#parts.settleMs ?? 50): void {
    if (this.#soon || this.#stopped) return
    this.#soon = this.#parts.world.after(delayMs, () => {
      this.#soon = null
      this.#inTurn(() => this.#look()).catch((error: unknown) => this.#parts.warn(`${this.#parts.path} could not be followed`, error))
    })
  }

  async #look(): Promise<void> {
    const seen = await this.#read()
    const key = keyOf(seen)
    if (key === this.#offered) {
      this.#seen = null
    } else if (key === this.#seen) {
      const outcome = this.#offer(seen)
      this.#parts.onOutcome?.(outcome)
    } else {
      this.#seen = key
      this.#lookSoon()
    }
  }

  async #read(): Promise<Seen> {
    try {
      return { text: await readConfigText(this.#parts.path) }
    } catch (error) {
      if (error instanceof ConfigError) return { error }
      throw error
    }
  }

  #offer(seen: Seen): Outcome {
    const { live } = this.#parts
    this.#offered = keyOf(seen)
    this.#seen = null
    if ('text' in seen) return live.offer(seen.text, 'file')
    live.lost(seen.error.message, 'file')
    return live.refuse(seen.error.faults, 'file')
  }

  async #put(dynamic: string, ifMatch: string | null): Promise<PutOutcome> {
    const { live, path, write = writeAtomically } = this.#parts
    const { hash, bootstrap } = live.current()
    if (bootstrap.config !== null) {
      const key = nameOf(configKeyOf(bootstrap.config.prefix))
      return { is: 'not-replaceable', reason: `the configuration comes from ${key}: baton config put FILE writes it` }
    }
    if (ifMatch !== null && ifMatch !== hash) return { is: 'changed-meanwhile', hash }
    const file = await this.#read()
    if ('error' in file) return { is: 'not-replaceable', reason: file.error.message }
    // An edit that baton has not taken yet must not be lost under the writer's feet.
    if (ifMatch !== null && keyOf(file) !== this.#offered) return { is: 'changed-meanwhile', hash }
    try {
      parseDynamic(dynamic, 'request', bootstrap)
      const joined = joinedText(file.text, dynamic)
      if (joined === null) return { is: 'not-replaceable', reason: `${path} is written in a form that cannot be edited by machine` }
      live.check(joined)
      const refusal = joined === file.text ? null : await replace(path, joined, write)
      if (refusal !== null) return { is: 'not-replaceable', reason: refusal }
      this.#offered = keyOf({ text: joined })
      return live.offer(joined, 'api')
    } catch (error) {
      if (error instanceof ConfigError) return live.refuse(error.faults, 'api')
      throw error
    }
  }
}

function keyOf(seen: Seen): string {
  return 'text' in seen ? `text ${seen.text}` : `error ${seen.error.message}`
}

/** Null too where the file has a fault of syntax, so that its halves cannot be told apart. */
function joinedText(file: string, dynamic: string): string | null {
  try {
    return replaceDynamic(file, dynamic)
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}

const irreplaceable: readonly string[] = ['EROFS', 'EACCES', 'EPERM', 'EBUSY', 'EXDEV', 'ENOENT']

/** Why it cannot be done; null if it is. A link stays, and the file that it leads to is replaced; mode and content only, as any editor does. */
async function replace(path: string, text: string, write: typeof writeAtomically): Promise<string | null> {
  try {
    const target = await realpath(path)
    const { mode } = await stat(target)
    await write(target, text, mode & 0o777)
    return null
  } catch (error) {
    if (irreplaceable.includes(errorCode(error))) return `${path} cannot be replaced: ${errorMessage(error)}`
    throw error
  }
}
