/** The keeper's few lines, on stderr: JSON, or plain on a terminal. */
import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import type { World } from '../world.ts'

/** `event` is dotted and stable across releases; `words` are for a person. */
export type KeeperLog = (level: 'info' | 'warn' | 'error', event: string, words: string, fields?: Readonly<Record<string, unknown>>) => void

export function stderrLog(world: World): KeeperLog {
  const plain = isatty(2)
  return (level, event, words, fields) => {
    const record = { time: new Date(world.now()).toISOString(), level, event, words, ...fields }
    const line = plain ? `baton: ${words}` : JSON.stringify(record)
    try {
      writeSync(2, `${line}\n`)
    } catch {
      // Whoever read the log is gone or too slow: that must not stop traffic.
    }
  }
}
