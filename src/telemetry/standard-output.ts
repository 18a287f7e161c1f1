/** Where logs go: one line a record on standard output, pretty on a terminal. */
import { jsonLine, type LogSink, prettyLine } from './log.ts'

export interface StandardOutput {
  /** False asks to wait until `drained` is called. */
  write(text: string): boolean
  onDrain(drained: () => void): void
  readonly isTerminal: boolean
}

export const standardOutput: StandardOutput = {
  write: (text) => process.stdout.write(text),
  onDrain: (drained) => void process.stdout.on('drain', drained),
  get isTerminal() {
    return process.stdout.isTTY === true
  },
}

export function lineSink(output: StandardOutput, format: 'auto' | 'json' | 'pretty'): LogSink {
  const line = format === 'pretty' || (format === 'auto' && output.isTerminal) ? prettyLine : jsonLine
  return (record) => void output.write(line(record))
}
