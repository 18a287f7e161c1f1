/** The admin token's file: a secret that others can read is none. */
import { readFileSync, statSync } from 'node:fs'
import { BatonError, errorMessage } from '../errors.ts'

/** @throws BatonError `start`: unreadable, readable by others, or too short. */
export function readToken(path: string): string {
  let text: string
  try {
    const { mode } = statSync(path)
    if ((mode & 0o077) !== 0) throw new Error(`its mode is ${(mode & 0o777).toString(8)}, expected 600 (chmod 600 ${path})`)
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new BatonError('start', `bootstrap.admin.tokenFile ${path}: ${errorMessage(error)}`, error)
  }
  if (text.length < 16)
    throw new BatonError('start', `bootstrap.admin.tokenFile ${path}: a token of ${text.length} characters, expected at least 16`)
  return text
}
