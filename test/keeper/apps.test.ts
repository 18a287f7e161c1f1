import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { until } from '../kit/until.ts'
import { type Seen, type Started, sleepApp, startKeeper } from './started.ts'

const dir = mkdtempSync(join(tmpdir(), 'baton-apps-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const shell = (script: string) => ({ argv: ['sh', '-c', script] })

function seenWhen(keeper: Started, holds: (seen: Seen) => boolean): Promise<Seen> {
  return until(
    async () => {
      const seen = await keeper.ask()
      return holds(seen) ? seen : null
    },
    () => `never so; the output is ${keeper.output()}`,
  )
}

describe('apps of the keeper', () => {
  test('run in a process group of their own, with PORT, environment and folder as told', async () => {
    await using keeper = await startKeeper()
    await keeper.seen()
    const file = join(dir, 'env.txt')
    const script = `echo "$PORT $COLOUR $PWD $(cut -d' ' -f5 /proc/$$/stat) $$" > ${file}; exec sleep 1000`
    await keeper.ask(sleepApp('v1', { ...shell(script), env: { COLOUR: 'red' }, cwd: dir, port: 3001 }))
    const { apps } = await seenWhen(keeper, (seen) => seen.apps.length === 1)
    const line = await until(
      () => tryRead(file),
      () => 'the app does not run',
    )
    const pid = apps[0]?.pid
    assert.equal(line, `3001 red ${dir} ${pid} ${pid}\n`)
  })

  test('write to a file of mode 0600, appended to', async () => {
    await using keeper = await startKeeper()
    await keeper.seen()
    const path = join(dir, 'logs/v1.log')
    for (let round = 1; round <= 2; round++) {
      await keeper.ask(sleepApp('v1', { ...shell('echo out; echo err >&2'), output: { is: 'file', path } }))
      await seenWhen(keeper, (seen) => seen.exits.length === round)
    }
    assert.equal(readFileSync(path, 'utf8'), 'out\nerr\nout\nerr\n')
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('with inherited output write where the keeper writes', async () => {
    await using keeper = await startKeeper()
    await keeper.seen()
    await keeper.ask(sleepApp('v1', shell('echo hello from the app')))
    await until(
      () => keeper.output().includes('hello from the app\n'),
      () => 'nothing was written',
    )
  })

  test('that cannot be started are reported with the reason', async () => {
    await using keeper = await startKeeper()
    await keeper.seen()
    await keeper.ask(sleepApp('missing', { argv: ['/no/such/program'] }))
    await keeper.ask(sleepApp('nowhere', { cwd: '/no/such/folder' }))
    await keeper.ask(sleepApp('silent', { output: { is: 'file', path: '/proc/no/such.log' } }))
    const { exits, apps } = await seenWhen(keeper, (seen) => seen.exits.length === 3)
    assert.deepEqual(exits.map(({ name, pid, code, signal }) => [name, pid, code, signal]).sort(), [
      ['missing', 0, null, null],
      ['nowhere', 0, null, null],
      ['silent', 0, null, null],
    ])
    for (const { error } of exits) assert.match(error ?? '', /ENOENT/)
    assert.deepEqual(apps, [])
  })

  test('that exit are reported with code or signal', async () => {
    await using keeper = await startKeeper()
    await keeper.seen()
    await keeper.ask(sleepApp('code', shell('exit 3')))
    await keeper.ask(sleepApp('signal'))
    await seenWhen(keeper, (seen) => seen.apps.some(({ name }) => name === 'signal'))
    await keeper.ask({ is: 'signal', name: 'signal', signal: 'SIGTERM' })
    const { exits } = await seenWhen(keeper, (seen) => seen.exits.length === 2)
    assert.deepEqual(exits.map(({ name, code, signal, error }) => [name, code, signal, error]).sort(), [
      ['code', 3, null, null],
      ['signal', null, 'SIGTERM', null],
    ])
  })

  test('have exited once their whole group has, children that the leader leaves behind included', async () => {
    await using keeper = await startKeeper()
    await keeper.seen()
    await keeper.ask(sleepApp('v1', shell('sleep 1000 & exit 0')))
    const { apps } = await seenWhen(keeper, (seen) => seen.exits.length === 1)
    assert.deepEqual(apps, [])
    assert.equal(keeper.alive().length, 2, 'the keeper and its generation')
  })

  test('that ignore SIGTERM in what they leave behind are killed', async () => {
    await using keeper = await startKeeper({ timing: { stopMs: 200 } })
    await keeper.seen()
    await keeper.ask(sleepApp('v1', shell("(trap '' TERM; while :; do sleep 0.1; done) & exit 0")))
    await seenWhen(keeper, (seen) => seen.exits.length === 1)
    await until(
      () => keeper.alive().length === 2,
      () => `left: ${keeper.alive()}`,
    )
  })

  /** A leader whose child counts its TERMs in `file` and stays; it goes on with `then` once the child is there. */
  const countingTerms = (file: string, then: string) =>
    shell(
      `(trap 'echo TERM >> ${file}' TERM; : > ${file}; while :; do sleep 0.05; done) & while [ ! -e ${file} ]; do sleep 0.01; done; ${then}`,
    )

  test('that leave something behind: it is sent SIGTERM once, and has its time', async () => {
    await using keeper = await startKeeper({ timing: { stopMs: 600 } })
    await keeper.seen()
    const file = join(dir, 'left-behind.txt')
    await keeper.ask(sleepApp('v1', countingTerms(file, 'exit 0')))
    await seenWhen(keeper, (seen) => seen.exits.length === 1)
    assert.equal(readFileSync(file, 'utf8'), 'TERM\n')
  })

  test('that were sent SIGTERM: what outlives the leader is not sent another', async () => {
    await using keeper = await startKeeper({ timing: { stopMs: 600 } })
    await keeper.seen()
    const file = join(dir, 'stopped.txt')
    await keeper.ask(sleepApp('v1', countingTerms(file, `echo ready >> ${file}; wait`)))
    await until(
      () => tryRead(file),
      () => 'the child does not count',
    )
    await keeper.ask({ is: 'signal', name: 'v1', signal: 'SIGTERM' })
    await seenWhen(keeper, (seen) => seen.exits.length === 1)
    assert.equal(readFileSync(file, 'utf8'), 'ready\nTERM\n')
  })

  test('a name that runs already is not started twice', async () => {
    await using keeper = await startKeeper()
    await keeper.seen()
    await keeper.ask(sleepApp('v1'))
    const before = await seenWhen(keeper, (seen) => seen.apps.length === 1)
    await keeper.ask(sleepApp('v1'))
    await keeper.ask(sleepApp('v2'))
    const now = await seenWhen(keeper, (seen) => seen.apps.length === 2)
    assert.deepEqual(now.apps[0], before.apps[0])
    assert.deepEqual(now.exits, [])
    assert.equal(keeper.alive().length, 4)
  })
})

function tryRead(file: string): string | null {
  try {
    return readFileSync(file, 'utf8') || null
  } catch {
    return null
  }
}
