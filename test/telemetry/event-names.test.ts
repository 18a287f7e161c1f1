/** A webhook can name every event, and none that nobody tells of. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { eventNames, undeliveredEvents } from '../../src/telemetry/event-names.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** A probe's outcome is its name: `version.${probe.is}` in src/upstream/versions.ts. */
const composed = ['version.ready', 'version.starting']

test('the table of events has those that the sources tell of', () => {
  const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !/^src\/(cli|keeper)\//.test(file))
  const calls = files.flatMap((file) => [...readFileSync(`${root}${file}`, 'utf8').matchAll(/\.(?:info|warn|error)\(([^)]*)/g)])
  const told = calls.flatMap(([, argument = '']) => [...argument.matchAll(/'([a-z]+\.[a-z_-]+)'/g)].map(([, name]) => name ?? ''))
  assert.deepEqual([...new Set([...told, ...composed])].sort(), [...eventNames, ...undeliveredEvents].sort())
})
