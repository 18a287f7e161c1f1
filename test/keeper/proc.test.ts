import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { identify, isAlive, signalGroup, startTimeOf } from '../../src/keeper/proc.ts'
import { until } from '../kit/until.ts'

describe('who a process is', () => {
  test('the start time is field 22 after the last parenthesis, whatever the name holds', () => {
    const tail = 'S 1 10 10 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9'
    assert.equal(startTimeOf(`10 (node) ${tail}`), 4711)
    assert.equal(startTimeOf(`10 (a) S 1 (b)) ${tail}`), 4711)
  })

  test('a zombie is not alive, although it can be signalled', async () => {
    // The shell does not wait for its child while it reads.
    const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [line] = await once(parent.stdout, 'data')
    const pid = Number(String(line))
    const who = identify(pid)
    await until(
      () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '),
      () => 'no zombie',
    )
    assert.equal(process.kill(pid, 0), true)
    assert.equal(isAlive(who), false)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
  })

  test('this process is alive; with another start time or boot it is another one', () => {
    const me = identify(process.pid)
    assert.ok(me.startTime > 0)
    assert.equal(isAlive(me), true)
    assert.equal(isAlive({ ...me, startTime: me.startTime + 1 }), false)
    assert.equal(isAlive({ ...me, bootId: 'another' }), false)
  })

  test('no signal goes to everybody, to init or to our own group', () => {
    for (const pid of [0, 1, -1, Number.NaN]) assert.equal(signalGroup(pid, 0), false)
  })
})
