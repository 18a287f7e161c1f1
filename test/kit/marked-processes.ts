/** Processes known by a mark in their environment: all that a test has started, however deep, and whoever their parent is now. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Marked {
  /** To be put into the environment of what is started. */
  readonly env: Readonly<Record<string, string>>
  /** Those that run now; a zombie does not. */
  alive(): number[]
  /** SIGKILL to all, until none is left. */
  kill(): Promise<void>
}

const variable = 'BATON_TEST_MARK'

/** Also kills what is left when this process exits or is ended (the runner does that on a timeout), so that a failing test leaves nothing. */
export function markProcesses(): Marked {
  const mark = `${process.pid}-${process.hrtime.bigint()}`
  const alive = (): number[] => withMark(mark)
  const killOnce = (): number => alive().filter(kill).length
  const ended = (): never => process.exit(143)
  process.once('exit', killOnce).once('SIGTERM', ended)
  return {
    env: { [variable]: mark },
    alive,
    async kill() {
      for (let round = 0; killOnce() > 0; round++) {
        if (round > 500) throw new Error(`processes ${alive()} do not die`)
        await sleep(10)
      }
      process.off('exit', killOnce).off('SIGTERM', ended)
    },
  }
}

function withMark(mark: string): number[] {
  return processes()
    .filter((pid) => environment(pid).includes(`${variable}=${mark}\0`))
    .map(Number)
}

/** Without /proc (macOS) nothing is found, and tests that ask for survivors prove nothing there. */
function processes(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

function environment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    return '' // Ended while we looked, or another user's.
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false // Ended while we looked.
  }
}
