/**
 * How soon a change of the configuration has its effect, and what it costs those who ask meanwhile: a fleet that follows etcd, one baton
 * that does, and beside it on the same machine baton's file watch, nginx and haproxy.
 * `npm run bench:etcd [-- --processes 4 --planes 26 --puts 200 --changes 200 --json]`; a run with --json writes nothing.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { errorMessage } from '../src/errors.ts'
import { type FleetReport, runFleet } from '../test/fleet/kit/fleet-run.ts'
import { programPath } from '../test/kit/packages.ts'
import { reloadingPeers } from './etcd/reloading.ts'
import { failedText, type Row, renderEtcd, rowOf } from './etcd/report.ts'
import { timeChanges } from './etcd/time-changes.ts'
import { busyNote, machineLine, versionsLine } from './machine.ts'

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '4' },
    planes: { type: 'string', default: '26' },
    puts: { type: 'string', default: '200' },
    changes: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
})
const [processes = 0, planes = 0, puts = 0, changes = 0] = [values.processes, values.planes, values.puts, values.changes].map(Number)
/** Of the fleet: a request each 20 ms for each instance. Thirty clients without a pause would measure the machine's cores alone. */
const fleetPauseMs = 20
const gapMs = 100

const meansOf = 'a put through `baton config put`’s own code, timed from the sending of its transaction to one etcd'

async function main(): Promise<number> {
  const busy = busyNote()
  const rows: Row[] = []
  const add = (row: Row): void => {
    rows.push(row)
    console.error(
      `${row.name}: p50 ${row.p50Ms.toFixed(1)} ms, p99 ${row.p99Ms.toFixed(1)} ms, failed: ${failedText(row.failed)} of ${row.requests}`,
    )
  }
  const fleet = await runFleet({ processes, planes, puts, gapMs, pauseMs: fleetPauseMs })
  add(rowOf('baton, etcd, a fleet', `${meansOf}; of each put and each instance`, puts, fleet.effectMs, fleet.loads))
  const single = await runFleet({ processes: 1, planes: 0, puts: changes, gapMs, pauseMs: 0 })
  add(rowOf('baton, etcd', meansOf, changes, single.effectMs, single.loads))
  const untimed: string[] = []
  for (const peer of reloadingPeers) {
    try {
      const { effectMs, load } = await timeChanges(peer, changes)
      add(rowOf(peer.name, peer.means, changes, effectMs, [load]))
    } catch (error) {
      untimed.push(`${peer.name} is not timed: ${errorMessage(error)}`)
    }
  }
  const head = {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    machine: machineLine(),
    versions: `${versionsLine()}, ${etcdVersion()}`,
    notes: [...notesOf(fleet), ...untimed, ...(busy === null ? [] : [busy])],
  }
  if (values.json) console.log(JSON.stringify({ ...head, rows }))
  else {
    const page = renderEtcd(rows, head)
    writeFileSync(join(import.meta.dirname, 'etcd.md'), page)
    console.log(page)
  }
  return isConverged(fleet) && rows.every(({ name, failed }) => Object.keys(failed).length === 0 || !name.startsWith('baton')) ? 0 : 1
}

function notesOf({ instances, revision }: FleetReport): readonly string[] {
  const there = instances.filter((instance) => instance.revision === revision).length
  return [
    `The fleet: ${processes} \`baton run\` processes, and ${planes} instances that share one more process (data plane, configuration and record in etcd, files; no keeper, no admin). All, the one etcd, the app and the clients share the machine’s cores. A put every ${gapMs} ms; each instance is asked every ${fleetPauseMs} ms on one connection, which is part of its times.`,
    `At the end \`baton fleet --json\` tells of ${instances.length} instances, ${there} of them at the last revision.`,
    'The others are one proxy each, changed anew 50 ms after the last change had its effect (etcd: every 100 ms), and asked by one client on one connection without a pause.',
    'Failed: a request that got no answer, or a wrong one; the client sends none again. ECONNRESET: an old worker closed its kept-alive connection while the next request was on its way; a client that tries again hides that.',
    'Not in these times: the start of a command, 0.3 s of `baton config put` for one; that of `nginx -s reload` is.',
  ]
}

function isConverged({ instances, revision }: FleetReport): boolean {
  return instances.length === processes + planes && instances.every((instance) => instance.revision === revision)
}

function etcdVersion(): string {
  const { stdout } = spawnSync(programPath('etcd'), ['--version'], {
    encoding: 'utf8',
    env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch },
  })
  return `etcd ${/Version: (\S+)/.exec(stdout)?.[1] ?? 'none'}`
}

process.exitCode = await main()
