/** Texts with faults, and what a person reads of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatConfigFault } from '../../src/errors.ts'
import { faultsOf } from './fixture.ts'

/** `text`, with the faults that it has, each in its one line; one that begins with `^` is a pattern. */
export type Case = readonly [what: string, text: string, ...lines: string[]]

export function check(cases: readonly Case[], reason: string): void {
  for (const [what, text, ...lines] of cases) {
    test(what, () => {
      const faults = faultsOf(text)
      const said = faults.map((fault) => formatConfigFault(fault).replace(/^baton\.yaml/, ''))
      for (const [index, line] of lines.entries()) {
        const start = said[index] ?? ''
        if (line.startsWith('^')) assert.match(start, new RegExp(line))
        else assert.equal(start.slice(0, line.length), line)
      }
      assert.equal(said.length, lines.length, said.join('\n'))
      assert.deepEqual([...new Set(faults.map((fault) => fault.reason))], [reason])
    })
  }
}
