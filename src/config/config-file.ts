/** The configuration file's text, and a start from it. */
import { createReadStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { ConfigError, errorCode, errorMessage } from '../errors.ts'
import type { World } from '../world.ts'
import type { Warn } from './coalesced-file.ts'
import { documentBytes } from './document.ts'
import { type Remote, readLastGood } from './last-good.ts'
import { type Config, parseConfig } from './parse.ts'
import type { ParseOptions } from './settle.ts'

/** A document and what it says. */
export interface Loaded {
  readonly text: string
  /** File name, as it was given. */
  readonly name: string
  readonly config: Config
  /** Where the dynamic half came from, if not from the file. */
  readonly remote: Remote | null
  /** Why this is not what its source says now; null if it is. */
  readonly fault: ConfigError | null
}

/** As a command or a generation reads `file`: its relative paths are its own, the state folder that of where baton was called. */
export function parseOptionsOf(file: string, world: World): ParseOptions {
  return { folder: resolve(dirname(file)), workingFolder: process.cwd(), stateOverride: world.env.BATON_STATE }
}

/** Throws ConfigError with the reason `unreadable`. */
export async function readConfigText(path: string): Promise<string> {
  try {
    // One byte more than is allowed is enough to refuse it; the size that a device or a pipe states says nothing.
    const bytes = await buffer(createReadStream(path, { end: documentBytes }))
    if (bytes.length > documentBytes) throw unreadable(path, 'a longer file', `at most ${documentBytes} bytes`)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    if (error instanceof TypeError) throw unreadable(path, 'bytes that are not UTF-8', 'a text in UTF-8')
    throw unreadable(path, reasonWords[errorCode(error)] ?? errorMessage(error), 'a readable file')
  }
}

const reasonWords: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'a file that baton may not read',
  EISDIR: 'a folder',
  ENOTDIR: 'no such folder',
  ELOOP: 'symbolic links in a circle',
}

function unreadable(source: string, found: string, expected: string): ConfigError {
  return new ConfigError([{ source, line: null, column: null, path: '', found, expected, hint: null, reason: 'unreadable' }])
}

/** Reads and parses. Throws ConfigError with all faults. */
export async function loadConfig(path: string, options: ParseOptions): Promise<Loaded> {
  const text = await readConfigText(path)
  return { text, name: path, config: parseConfig(text, path, options), remote: null, fault: null }
}

/**
 * For a generation that follows one that served: when the file is missing or has faults now, what was last applied serves on, and says so.
 * A first start never comes here with such a file, since the keeper has read it before and ended with exit 2.
 * `stateFolder` must be known from elsewhere (the keeper says it in BATON_STATE), as the file that would tell it may be the one that is missing.
 */
export async function loadOrLastGood(path: string, options: ParseOptions, stateFolder: string, warn: Warn): Promise<Loaded> {
  try {
    return await loadConfig(path, options)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const lastGood = await readLastGood(stateFolder, warn)
    if (!lastGood) throw error
    try {
      const config = parseConfig(lastGood.text, `last good of ${path}`, options)
      return { text: lastGood.text, name: path, config, remote: null, fault: error }
    } catch (failure) {
      warn('what was last applied does not fit this build', failure)
      throw error
    }
  }
}
