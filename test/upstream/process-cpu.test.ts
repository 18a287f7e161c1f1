/** The CPU of a process group: a real one that burns, and a /proc written by hand for what cannot be had at will. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type CpuSource, ProcessCpu } from '../../src/upstream/process-cpu.ts'
import { realWorld } from '../../src/world.ts'
import { FakeWorld } from '../kit/fake-world.ts'

/** Burns as much CPU time as it is told, half of it in a child that it waits for. */
const burner = `
  const { execFileSync } = require('node:child_process')
  const spin = 'const burn = (ms) => { while (process.cpuUsage().user < ms * 1000); };'
  const burn = (ms) => { const from = process.cpuUsage().user; while (process.cpuUsage().user - from < ms * 1000); }
  process.stdin.on('data', (line) => {
    const ms = Number(line)
    burn(ms / 2)
    execFileSync(process.execPath, ['-e', spin + 'burn(' + ms / 2 + ')'])
    console.log('burnt')
  })
  console.log('ready')
`

describe('a real process', { skip: process.platform !== 'linux' }, () => {
  test('that burns is seen to, its children too, and idle it is seen to be idle', async (t) => {
    const child = spawn(process.execPath, ['-e', burner], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    const cpu = new ProcessCpu(realWorld, () => child.pid ?? null)
    cpu.sample()
    assert.equal(cpu.use(1_000), null, 'one look tells nothing')
    child.stdin.write('600\n')
    await once(child.stdout, 'data')
    cpu.sample()
    const used = cpu.use(60_000)
    assert.ok(used !== null && used.usedMs >= 560 && used.usedMs < 6_000, JSON.stringify(used))
    assert.equal(used.share, used.usedMs / used.overMs / used.limitCores)
    cpu.sample()
    const idle = cpu.use(0)
    assert.ok(idle !== null && idle.usedMs <= 50, JSON.stringify(idle))
  })

  test('that has ended is not known any more', async () => {
    const child = spawn(process.execPath, ['-e', ''], { detached: true, stdio: 'ignore' })
    await once(child, 'exit')
    const cpu = new ProcessCpu(realWorld, () => child.pid ?? null)
    cpu.sample()
    cpu.sample()
    assert.equal(cpu.use(1_000), null)
  })
})

interface Ticks {
  readonly group: number
  readonly own?: number
  readonly children?: number
}

/** A machine of our own: one look a second at what it says. */
function machine(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'baton-cpu-'))
  t.after(() => rmSync(root, { recursive: true }))
  const source: CpuSource = { proc: join(root, 'proc'), cgroup: join(root, 'cgroup') }
  const world = new FakeWorld()
  let leader: number | null = 10
  const cpu = new ProcessCpu(world, () => leader, source)
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return {
    cpu,
    world,
    write,
    leads: (pid: number | null) => {
      leader = pid
    },
    runs: (pid: number, { group, own = 0, children = 0 }: Ticks) =>
      write(`proc/${pid}/stat`, `${pid} (a ) (b) S 1 ${group} 7 0 -1 0 0 0 0 0 ${own} 0 ${children} 0 20 0 1 0 99 0\n`),
    ends: (pid: number) => rmSync(join(root, 'proc', String(pid)), { recursive: true }),
  }
}

describe('the sum', () => {
  test('is of the group alone, and of what its members waited for', (t) => {
    const { cpu, world, runs } = machine(t)
    runs(10, { group: 10, own: 100, children: 40 })
    runs(11, { group: 10, own: 10 })
    runs(12, { group: 12, own: 5_000 })
    cpu.start()
    runs(10, { group: 10, own: 130, children: 60 })
    runs(11, { group: 10, own: 20 })
    runs(12, { group: 12, own: 9_000 })
    world.advance(1_000)
    assert.deepEqual(cpu.use(1_000), { usedMs: 600, overMs: 1_000, limitCores: 1, share: 0.6 })
    cpu.stop()
    assert.deepEqual([cpu.use(1_000), world.timers], [null, 0])
  })

  test('is the same when a child ends and is waited for', (t) => {
    const { cpu, world, runs, ends } = machine(t)
    runs(10, { group: 10 })
    runs(11, { group: 10, own: 50 })
    cpu.start()
    ends(11)
    runs(10, { group: 10, children: 50 })
    world.advance(1_000)
    assert.equal(cpu.use(1_000)?.usedMs, 0)
  })

  test('does not fall, and goes on rising, when one ends that nobody waited for', (t) => {
    const { cpu, world, runs, ends } = machine(t)
    runs(10, { group: 10, own: 10 })
    runs(11, { group: 10, own: 500 })
    cpu.start()
    ends(11)
    runs(10, { group: 10, own: 20 })
    world.advance(1_000)
    runs(10, { group: 10, own: 60 })
    world.advance(1_000)
    assert.deepEqual([cpu.use(1_000)?.usedMs, cpu.use(2_000)?.usedMs], [400, 400])
  })

  test('finds a new member within five seconds', (t) => {
    const { cpu, world, runs } = machine(t)
    runs(10, { group: 10 })
    cpu.start()
    runs(11, { group: 10, own: 300 })
    world.advance(5_000)
    assert.equal(cpu.use(5_000)?.usedMs, 3_000)
  })

  test('of another leader begins anew', (t) => {
    const { cpu, world, runs, leads } = machine(t)
    runs(10, { group: 10, own: 900 })
    runs(20, { group: 20, own: 100 })
    cpu.start()
    world.advance(1_000)
    leads(20)
    world.advance(1_000)
    assert.equal(cpu.use(1_000), null)
    runs(20, { group: 20, own: 110 })
    world.advance(1_000)
    assert.equal(cpu.use(60_000)?.usedMs, 100)
    leads(null)
    world.advance(1_000)
    assert.equal(cpu.use(1_000), null)
  })

  test('reaches a minute back', (t) => {
    const { cpu, world, runs } = machine(t)
    runs(10, { group: 10 })
    cpu.start()
    world.advance(300_000)
    assert.deepEqual([cpu.use(15_000)?.overMs, cpu.use(300_000)?.overMs], [15_000, 60_000])
  })

  test('cannot be known where there is no /proc', (t) => {
    const { cpu, world } = machine(t)
    cpu.start()
    world.advance(3_000)
    assert.equal(cpu.use(1_000), null)
  })
})

describe('the limit', () => {
  const cases: readonly (readonly [what: string, cgroup: string | null, files: Readonly<Record<string, string>>, cores: number])[] = [
    ['is one core without cgroups', null, {}, 1],
    ['is one core where v2 sets none', '0::/app\n', { 'app/cpu.max': 'max 100000' }, 1],
    ['is that of v2', '0::/app\n', { 'app/cpu.max': '250000 100000' }, 2.5],
    ['is the least of v2’s ancestors', '0::/pod/app\n', { 'pod/cpu.max': '50000 100000', 'pod/app/cpu.max': '200000 100000' }, 0.5],
    [
      'is that of v1, wherever it is mounted',
      '3:cpuset:/\n2:cpu,cpuacct:/docker/x\n',
      { 'cpu,cpuacct/docker/x/cpu.cfs_quota_us': '150000', 'cpu,cpuacct/docker/x/cpu.cfs_period_us': '100000' },
      1.5,
    ],
    [
      'is that of v1’s root in a container that sees the host’s path',
      '2:cpu:/docker/unseen\n',
      { 'cpu/cpu.cfs_quota_us': '70000', 'cpu/cpu.cfs_period_us': '100000' },
      0.7,
    ],
    ['is one core where v1 says -1', '2:cpu:/\n', { 'cpu/cpu.cfs_quota_us': '-1', 'cpu/cpu.cfs_period_us': '100000' }, 1],
    ['is one core where the file is nonsense', '0::/\n', { 'cpu.max': 'lots of it' }, 1],
    ['stays inside the cgroups’ folder', '0::/../../etc\n', { 'cpu.max': '30000 100000' }, 0.3],
  ]
  for (const [what, cgroup, files, cores] of cases) {
    test(what, (t) => {
      const { cpu, world, runs, write } = machine(t)
      runs(10, { group: 10 })
      if (cgroup !== null) write('proc/10/cgroup', cgroup)
      for (const [path, text] of Object.entries(files)) write(`cgroup/${path}`, `${text}\n`)
      cpu.start()
      runs(10, { group: 10, own: 50 })
      world.advance(1_000)
      assert.deepEqual(cpu.use(1_000), { usedMs: 500, overMs: 1_000, limitCores: cores, share: 0.5 / cores })
    })
  }
})
