/** What the app's processes wrote down, all in one file: orders with their ids, starts, ends. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

export interface Fact {
  readonly fact: 'order' | 'started' | 'listening' | 'stopping' | 'stopped' | 'deaf' | 'websocket-closed'
  readonly version: string
  readonly pid: number
  /** ms since the epoch */
  readonly at: number
  /** An order's id, the code that a WebSocket was closed with; else empty. */
  readonly detail: string
}

/** None where nothing was written yet. */
export function readRecord(path: string): readonly Fact[] {
  return textOf(path)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [fact, version = '', pid, at, detail = ''] = line.split(' ')
      return { fact: fact as Fact['fact'], version, pid: Number(pid), at: Number(at), detail }
    })
}

/** Id → how often the app got it. */
export function ordersIn(facts: readonly Fact[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { fact, detail } of facts) if (fact === 'order') counts.set(detail, (counts.get(detail) ?? 0) + 1)
  return counts
}

/** From its first fact to its last, in the order of their beginnings: no process was there before the one before it had gone. */
export function assertNeverTogether(facts: readonly Fact[]): void {
  const lives = [...Map.groupBy(facts, ({ pid }) => pid).values()].map((life) => ({
    version: life[0]?.version,
    from: Math.min(...life.map(({ at }) => at)),
    to: Math.max(...life.map(({ at }) => at)),
  }))
  const inOrder = lives.sort((a, b) => a.from - b.from)
  for (const [index, { version, from }] of inOrder.entries()) {
    const before = inOrder[index - 1]
    assert.ok(before === undefined || from >= before.to, `${version} began ${from}, ${before?.version} was there until ${before?.to}`)
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // no process of the app has come to be yet
  }
}
