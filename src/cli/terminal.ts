/** Standard output and error as commands see them. */

export interface Terminal {
  /** Writes to stdout. */
  print(text: string): void
  /** Writes to stderr. */
  complain(text: string): void
  /** Whether stdout is a person's screen. */
  readonly isScreen: boolean
  /** Ends the process once what was printed has been written. */
  leave(code: number): void
}

/** A reader that has gone (`baton status | head`) ends a command quietly; a process that serves outlives its reader (see `keepServing`). */
export function terminal(process: NodeJS.Process): Terminal {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' && process.stdout.listenerCount('error') === 1) process.exit(0)
  })
  return {
    print: (text) => void process.stdout.write(text),
    complain: (text) => void process.stderr.write(text),
    isScreen: process.stdout.isTTY === true,
    leave: (code) => void process.stdout.write('', () => process.exit(code)),
  }
}

/** For what must go on when nobody reads its output any more. */
export function keepServing(process: NodeJS.Process): void {
  process.stdout.on('error', () => undefined)
  process.stderr.on('error', () => undefined)
}
