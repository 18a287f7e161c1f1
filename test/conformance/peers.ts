/**
 * Runs the suite against other proxies, so that the cases are known to be able to pass and to fail.
 * `node test/conformance/peers.ts [nginx|haproxy|baton …] [--only TEXT] [--verbose] [--write]`; `--write` keeps the table in bench/conformance.md.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Lanes, openLanes } from './lanes.ts'
import { withLowerNames } from './lower-names.ts'
import { startBaton } from './peer-baton.ts'
import { startHaproxy } from './peer-haproxy.ts'
import { startNginx } from './peer-nginx.ts'
import type { RunningProxy } from './peer-process.ts'
import { laneCount, type Result, runSuite, suite } from './suite.ts'

const starters: Readonly<Record<string, (lanes: Lanes) => Promise<RunningProxy>>> = {
  baton: startBaton,
  nginx: startNginx,
  haproxy: startHaproxy,
}

interface Report {
  readonly proxy: string
  readonly results: readonly Result[]
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, verbose: { type: 'boolean' }, write: { type: 'boolean' } },
})

async function run(proxy: string): Promise<Report> {
  const start = starters[proxy]
  if (start === undefined) throw new Error(`no proxy ${proxy}: ${Object.keys(starters).join(', ')}`)
  const lanes = await openLanes(laneCount)
  const running = await start(lanes)
  const cases = suite
    .flatMap((group) => group.cases)
    .filter((one) => proxy === 'baton' || one.everywhere === true || !one.rfc.startsWith('DESIGN'))
  const only = values.only
  const wanted = only === undefined ? cases : cases.filter((one) => `${one.name} ${one.rfc}`.includes(only))
  const results = await runSuite(proxy === 'haproxy' ? wanted.map(withLowerNames) : wanted, lanes, running.port, 4000)
  await running.stop()
  await lanes.close()
  return { proxy, results }
}

function table(reports: readonly Report[]): string {
  const rows = suite.map((group) => {
    const cells = reports.map(({ results }) => {
      const ours = results.filter((result) =>
        group.cases.some((one) => one.name === result.testCase.name && one.rfc === result.testCase.rfc),
      )
      return `${ours.filter((result) => result.complaints.length === 0).length} of ${ours.length}`
    })
    return `| ${group.name} | ${cells.join(' | ')} |`
  })
  const total = reports.map(({ results }) => `${results.filter((result) => result.complaints.length === 0).length} of ${results.length}`)
  return [
    `| cases passed | ${reports.map((report) => report.proxy).join(' | ')} |`,
    `| --- | ${reports.map(() => '---').join(' | ')} |`,
    ...rows,
    `| **all** | ${total.join(' | ')} |`,
  ].join('\n')
}

function failures({ proxy, results }: Report, verbose: boolean): string {
  const failed = results.filter((result) => result.complaints.length > 0)
  const lines = failed.map(({ testCase, complaints }) => {
    const shown = verbose ? complaints.map((complaint) => `\n    ${complaint}`).join('') : ` — ${(complaints[0] ?? '').slice(0, 200)}`
    return `- ${testCase.name} (${testCase.rfc})${shown}`
  })
  return [`## ${proxy}: ${failed.length} failed`, '', ...lines].join('\n')
}

const reports: Report[] = []
for (const proxy of positionals.length > 0 ? positionals : Object.keys(starters)) reports.push(await run(proxy))
console.log(`${reports.map((report) => failures(report, values.verbose === true)).join('\n\n')}\n\n${table(reports)}`)
if (values.write === true) {
  const title =
    '# Conformance of the peers\n\nWritten by `node test/conformance/peers.ts --write`: the suite of test/conformance, run against each proxy.\n'
  await writeFile(
    'bench/conformance.md',
    `${title}\n${table(reports)}\n\n${reports.map((report) => failures(report, false)).join('\n\n')}\n`,
  )
}
