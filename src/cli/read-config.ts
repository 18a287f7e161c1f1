/** A configuration file as commands read it; the same code that serving uses decides what is right. */
import { createReadStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { documentBytes } from '../config/document.ts'
import { type Config, parseConfig } from '../config/parse.ts'
import { ConfigError, errorMessage } from '../errors.ts'
import type { World } from '../world.ts'

/** @throws ConfigError with all faults; one of them if the file cannot be read. */
export async function readConfig(file: string, world: World): Promise<Config> {
  const content = await read(file)
  return parseConfig(content, file, {
    folder: resolve(dirname(file)),
    workingFolder: process.cwd(),
    stateOverride: world.env.BATON_STATE,
  })
}

async function read(file: string): Promise<string> {
  try {
    // One byte more than is allowed, so that a file without an end is refused like one that is too long.
    return await text(createReadStream(file, { end: documentBytes }))
  } catch (error) {
    const found = errorMessage(error)
    const expected = 'a file that can be read'
    throw new ConfigError([{ source: file, line: null, column: null, path: '', found, expected, hint: null, reason: 'unreadable' }])
  }
}
