/** The admin token's file: a secret that others can read is none. */
import { readFileSync, statSync } from 'node:fs'
import { BatonError, errorMessage } from '../errors.ts'
import { modeFault } from './secret-file.ts'

/** @throws BatonError `start`: unreadable, readable by others, or too short. */
export function readToken(path: string): string {
  let text: string
  try {
    const fault = modeFault(path, statSync(path).mode)
    if (fault !== null) throw new Error(fault)
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new BatonError('start', `bootstrap.admin.tokenFile ${path}: ${errorMessage(error)}`, error)
  }
  if (text.length < 16)
    throw new BatonError('start', `bootstrap.admin.tokenFile ${path}: a token of ${text.length} characters, expected at least 16`)
  return text
}
