/** redis-benchmark, fifty clients, GETs of names at random. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { programPath } from '../../test/kit/packages.ts'
import { prefix } from './values.ts'

export interface Benchmarked {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export async function runRedisBenchmark(port: number, pipelined: number, requests: number, names: number): Promise<Benchmarked> {
  const how = ['-p', String(port), '-c', '50', '-P', String(pipelined), '-n', String(requests), '-r', String(names), '--csv']
  const argv = [...how, 'GET', `${prefix}__rand_int__`]
  const child = spawn(programPath('redis-benchmark'), argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return parseBenchmark(output)
}

/** @throws where there is no such line, as of one that could not connect */
export function parseBenchmark(csv: string): Benchmarked {
  const cells = csv.trim().split('\n').at(-1)?.split('","') ?? []
  const [, rps, , , p50, , p99] = cells.map(Number)
  if (rps === undefined || p50 === undefined || p99 === undefined || !(rps > 0))
    throw new Error(`not of redis-benchmark: ${csv.slice(0, 200)}`)
  return { requestsPerSecond: rps, p50Ms: p50, p99Ms: p99 }
}
