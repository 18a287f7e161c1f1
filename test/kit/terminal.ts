/** How a test gives a program a terminal: script(1) opens one and sits at its other end. Tests that do so say `needs('script')`. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

export interface InTerminal extends ChildProcess {
  /** What is typed. */
  readonly stdin: Writable
  /** What the terminal shows: stdout and stderr of the program. */
  readonly stdout: Readable
}

export interface TerminalOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/** The exit code is the program's. */
export function spawnInTerminal(argv: readonly string[], options: TerminalOptions = {}): InTerminal {
  // script runs a line by $SHELL, and dash does not make way for the last command of one: without `exec` a Ctrl-C ends the shell as well,
  // and its 130 is what is seen.
  const line = `exec ${argv.map((word) => `'${word}'`).join(' ')}`
  return spawn('script', ['-qec', line, '/dev/null'], { ...options, stdio: ['pipe', 'pipe', 'inherit'] })
}
