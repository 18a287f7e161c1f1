/** The load generator: one wrk thread with 64 connections, on the load core. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadCore } from './program.ts'
import { bodyOf, type Workload } from './workload.ts'

export const connections = 64

/** What wrk saw in one turn. Errors are answers outside 2xx and 3xx, and broken connections. */
export interface Load {
  readonly requests: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly errors: number
}

/** wrk's own report rounds; this line at its end does not. Times are in µs. */
const doneLua = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('bench %d %d %d %d %d\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`

/** Writes wrk's script for a workload and returns its path. */
export function writeScript(folder: string, workload: Workload): string {
  const file = join(folder, `${workload.name}.lua`)
  const post = `wrk.method = 'POST'\nwrk.headers['content-type'] = 'text/plain'\nwrk.body = '${bodyOf(workload.bytes).toString()}'\n`
  writeFileSync(file, (workload.method === 'POST' ? post : '') + doneLua)
  return file
}

/** Throws when wrk's output has no such line: it was ended, or could not connect. */
export function parseLoad(output: string): Load {
  const found = /^bench (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(output)
  if (found === null) throw new Error(`wrk gave no summary: ${output.trim().split('\n').at(-1) ?? 'no output'}`)
  const [requests = 0, micros = 0, p50 = 0, p99 = 0, errors = 0] = found.slice(1).map(Number)
  return { requests, seconds: micros / 1e6, p50Ms: p50 / 1000, p99Ms: p99 / 1000, errors }
}

export async function runLoad(script: string, url: string, seconds: number, signal: AbortSignal): Promise<Load> {
  const argv = ['-c', String(loadCore), 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url]
  const child = spawn('taskset', argv, { stdio: ['ignore', 'pipe', 'pipe'], signal })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  return parseLoad(output)
}
