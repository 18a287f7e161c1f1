/** Structured logs: one JSON object a line, or a pretty form for a terminal. Every record of `info` or above is also an event. */
import type { World } from '../world.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'
export const levels: readonly Level[] = ['debug', 'info', 'warn', 'error']

export type Fields = Readonly<Record<string, unknown>>

export interface LogRecord {
  readonly time: string
  readonly level: Level
  /** `config.applied`, `version.ready`: dotted, past tense or state, stable across releases. */
  readonly event: string
  readonly fields: Fields
}

export interface Log {
  debug(event: string, fields?: Fields): void
  info(event: string, fields?: Fields): void
  warn(event: string, fields?: Fields): void
  error(event: string, fields?: Fields): void
}

export type LogSink = (record: LogRecord) => void

/** A log that hands each record at or above `level` to `sinks`, in their order. */
export function createLog(world: Pick<World, 'now'>, level: Level, sinks: readonly LogSink[]): Log {
  const lowest = levels.indexOf(level)
  const at =
    (own: Level) =>
    (event: string, fields: Fields = {}) => {
      if (levels.indexOf(own) < lowest) return
      const record: LogRecord = { time: new Date(world.now()).toISOString(), level: own, event, fields }
      for (const sink of sinks) sink(record)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** A sink that gets only what is at or above `level`. */
export function atLeast(level: Level, sink: LogSink): LogSink {
  const lowest = levels.indexOf(level)
  return (record) => {
    if (levels.indexOf(record.level) >= lowest) sink(record)
  }
}

export function jsonLine({ time, level, event, fields }: LogRecord): string {
  // first for the eye, and last so that no field takes their names
  return `${JSON.stringify(Object.assign({ time, level, event }, fields, { time, level, event }))}\n`
}

const colour: Record<Level, string> = { debug: '\u001b[90m', info: '\u001b[36m', warn: '\u001b[33m', error: '\u001b[31m' }

/** `07:02:11 info  version.ready        version=v1` */
export function prettyLine(record: LogRecord): string {
  const fields = Object.entries(record.fields).map(
    ([key, value]) => `${key}=${visible(typeof value === 'string' ? value : String(JSON.stringify(value)))}`,
  )
  return `${record.time.slice(11, 19)} ${colour[record.level]}${record.level.padEnd(5)}\u001b[0m ${record.event.padEnd(20)} ${fields.join(' ')}\n`
}

/** What a client or an app said must not draw on the terminal, nor begin a line of its own. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
