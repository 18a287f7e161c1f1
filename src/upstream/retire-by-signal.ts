/**
 * Retires an app by a signal to the pid of a file. A pid file is a claim, not a proof: who could write it could have baton signal another
 * process. So the process has to be one that baton's own user may signal, and the file one that only it, its process's user or root can write.
 */
import { constants, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { RetirementSettings } from '../config/settings.ts'
import { errorCode, errorMessage } from '../errors.ts'
import { identify, isAlive, type ProcessIdentity } from '../keeper/proc.ts'
import type { World } from '../world.ts'

type BySignal = Extract<RetirementSettings, { readonly is: 'signal' }>

/** Between looks at whether it is gone. */
const lookMs = 50
/** From SIGKILL until it has to be gone: only a process that the kernel holds takes longer. */
const killedMs = 5_000

interface PidFile {
  readonly pid: number
  /** Who owns the file. */
  readonly uid: number
}

/** Resolves when the process is gone. @throws Error, in words for the operator. */
export async function retireBySignal({ pidFile, signal, stopTimeoutMs, kill }: BySignal, world: World): Promise<void> {
  const file = await readPidFile(pidFile)
  const who = identify(file.pid)
  refuse(file, who, world, pidFile)
  send(who, signal)
  if (await isGoneWithin(who, stopTimeoutMs, world)) return
  if (!kill) throw new Error(`process ${who.pid} still runs ${stopTimeoutMs} ms after ${signal}`)
  send(who, 'SIGKILL')
  if (!(await isGoneWithin(who, killedMs, world))) throw new Error(`process ${who.pid} still runs ${killedMs} ms after SIGKILL`)
}

async function readPidFile(path: string): Promise<PidFile> {
  // a FIFO must not hold baton up
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new Error(`${path} is not a file`)
    if ((stat.mode & 0o002) !== 0) throw new Error(`${path} can be written by everybody (chmod o-w)`)
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64), 0, 64, 0)
    // some apps write more lines below it
    const [, digits] = /^\s*(\d{1,10})\s*(?:\n|$)/.exec(buffer.toString('latin1', 0, bytesRead)) ?? []
    if (digits === undefined) throw new Error(`${path} does not begin with a pid`)
    return { pid: Number(digits), uid: stat.uid }
  } finally {
    await file.close()
  }
}

function refuse(file: PidFile, who: ProcessIdentity, world: World, path: string): void {
  const { pid } = who
  if (pid <= 1) throw new Error(`${path} names process ${pid}`)
  if (pid === world.pid || pid === process.ppid) throw new Error(`${path} names baton itself (${pid})`)
  if (!isAlive(who)) throw new Error(`${path} names process ${pid}, which does not run`)
  const own = process.getuid?.()
  const owner = ownerOf(pid)
  if (own === undefined || owner === null) return
  if (own !== 0 && owner !== own) throw new Error(`process ${pid} belongs to user ${owner}, and baton is user ${own}`)
  if (![0, own, owner].includes(file.uid)) throw new Error(`${path} belongs to user ${file.uid}, and process ${pid} to user ${owner}`)
}

/** Null where there is no /proc: then the kernel says so when it is signalled. */
function ownerOf(pid: number): number | null {
  try {
    const [, uid] = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return uid === undefined ? null : Number(uid)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

function send({ pid }: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // it went between the look and the signal
    if (errorCode(error) !== 'ESRCH') throw new Error(`process ${pid} cannot be sent ${signal}: ${errorMessage(error)}`, { cause: error })
  }
}

async function isGoneWithin(who: ProcessIdentity, timeoutMs: number, world: World): Promise<boolean> {
  const until = world.elapsed() + timeoutMs
  while (isAlive(who)) {
    const leftMs = until - world.elapsed()
    if (leftMs <= 0) return false
    await new Promise<void>((done) => world.after(Math.min(lookMs, leftMs), done))
  }
  return true
}
