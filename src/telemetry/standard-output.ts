/** Where logs go: one line a record on standard output, pretty on a terminal. */
import { jsonLine, type LogSink, prettyLine } from './log.ts'

export interface StandardOutput {
  /** False asks to wait until `drained` is called. */
  write(text: string): boolean
  onDrain(drained: () => void): void
  readonly isTerminal: boolean
  /** Bytes that were written and not taken yet. */
  readonly unread: number
}

/** A reader that is stuck must not fill the memory of what serves. */
const maxUnreadBytes = 1024 * 1024

export const standardOutput: StandardOutput = {
  write: (text) => process.stdout.write(text),
  onDrain: (drained) => void process.stdout.on('drain', drained),
  get isTerminal() {
    return process.stdout.isTTY === true
  },
  get unread() {
    return process.stdout.writableLength
  },
}

/** While too much is unread, lines are dropped; the first one that goes out again says how many. */
export function lineSink(output: StandardOutput, format: 'auto' | 'json' | 'pretty'): LogSink {
  const line = format === 'pretty' || (format === 'auto' && output.isTerminal) ? prettyLine : jsonLine
  let dropped = 0
  return (record) => {
    if (output.unread > maxUnreadBytes) {
      dropped += 1
      return
    }
    if (dropped > 0) output.write(line({ ...record, level: 'warn', event: 'log.dropped', fields: { lines: dropped } }))
    dropped = 0
    output.write(line(record))
  }
}
