/** Makes a folder and what is missing above it, 0700. (Node's own `recursive` never returns under /proc, and the keeper must.) */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode } from '../errors.ts'

/** @throws the system's error. */
export function makeFolder(path: string): void {
  if (made(path)) return
  makeFolder(dirname(path))
  if (!made(path)) mkdirSync(path) // Throws: what lies above is there, and this still cannot be made.
}

function made(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return true
    if (errorCode(error) === 'ENOENT' && dirname(path) !== path) return false
    throw error
  }
}
