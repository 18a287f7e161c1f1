/** STATE/lock: one baton a state folder. Names who serves, so that a second `baton run` can say it, also once the keeper is lost. */
import { chmodSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BatonError, errorCode, errorMessage } from '../errors.ts'
import { makeFolder } from './folder.ts'
import { identify, isAlive, type ProcessIdentity } from './proc.ts'

interface LockContent {
  readonly v: 1
  readonly keeper: ProcessIdentity
  readonly generation: ProcessIdentity | null
}

export interface Lock {
  /** Names the generation that serves now. */
  name(generationPid: number): void
  release(): void
}

/** @throws BatonError `locked` naming the pid that serves; `state` if the folder cannot be used. */
export function takeLock(folder: string, pid: number): Lock {
  const path = join(folder, 'lock')
  const own: LockContent = { v: 1, keeper: identify(pid), generation: null }
  prepareFolder(folder)
  // A lock that is stale is moved away and tried again; each try either holds, is refused, or lost a race with another start.
  for (let attempt = 0; attempt < 3; attempt++) {
    if (create(path, own)) return hold(path, own)
    const found = read(path)
    if (found !== null) refuseIfServing(path, found)
    moveAway(path, pid)
  }
  throw new BatonError('locked', `${path}: another baton is starting with this state folder; try again, or set another bootstrap.state`)
}

function prepareFolder(folder: string): void {
  try {
    makeFolder(folder)
    chmodSync(folder, 0o700)
  } catch (error) {
    throw new BatonError('state', `${folder}: the state folder cannot be used (${errorMessage(error)}); set bootstrap.state`, error)
  }
}

function hold(path: string, own: LockContent): Lock {
  return {
    name(generationPid) {
      writeWhole(`${path}.${own.keeper.pid}`, { ...own, generation: identify(generationPid) })
      renameSync(`${path}.${own.keeper.pid}`, path)
    },
    release() {
      if (read(path)?.keeper.pid === own.keeper.pid) rmSync(path, { force: true })
    },
  }
}

/** Atomic and with its content: a link, made only if there is no lock. */
function create(path: string, own: LockContent): boolean {
  const draft = `${path}.${own.keeper.pid}`
  writeWhole(draft, own)
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw new BatonError('state', `${path}: cannot be written (${errorMessage(error)}); set bootstrap.state`, error)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Two starts may find the same stale lock; the later one must not throw away the lock that the first one has just made. */
function moveAway(path: string, pid: number): void {
  const aside = `${path}.${pid}.stale`
  try {
    renameSync(path, aside)
    const moved = read(aside)
    if (moved !== null && isAlive(moved.keeper)) linkSync(aside, path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'EEXIST') throw error // Another start was faster.
  } finally {
    rmSync(aside, { force: true })
  }
}

function writeWhole(path: string, content: LockContent): void {
  try {
    writeFileSync(path, `${JSON.stringify(content)}\n`, { mode: 0o600 })
  } catch (error) {
    throw new BatonError('state', `${path}: cannot be written (${errorMessage(error)}); set bootstrap.state`, error)
  }
}

/** Null for a lock that is gone or no JSON of ours: nobody can be told from it. */
function read(path: string): LockContent | null {
  try {
    const content = JSON.parse(readFileSync(path, 'utf8')) as LockContent
    return typeof content?.keeper?.pid === 'number' ? content : null
  } catch {
    return null
  }
}

function refuseIfServing(path: string, found: LockContent): void {
  if (isAlive(found.keeper)) {
    throw new BatonError(
      'locked',
      `${path}: pid ${found.keeper.pid} already serves from this state folder; stop it, or set another bootstrap.state`,
    )
  }
  if (found.generation !== null && isAlive(found.generation)) {
    const { pid } = found.generation
    throw new BatonError(
      'locked',
      `${path}: pid ${pid} still serves although its keeper is lost; stop it in order with "kill ${pid}", then start again`,
    )
  }
}
