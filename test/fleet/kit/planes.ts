/** `test/fleet/program/planes.ts` as a process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { nodePath } from '../../kit/baton.ts'
import type { Ordered } from '../program/planes.ts'

const program = fileURLToPath(new URL('../program/planes.ts', import.meta.url))

export interface Planes extends AsyncDisposable {
  readonly ports: readonly number[]
}

/** Resolves once all of them serve. */
export async function startPlanes(ordered: Ordered): Promise<Planes> {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  const child = spawn(nodePath, [program, JSON.stringify(ordered)], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const early = exit.then(() => Promise.reject(new Error('the planes ended before they served')))
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), early])) as [string]
  early.catch(() => undefined) // they have started: their end is asked for from here
  return {
    ports: JSON.parse(line) as number[],
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await exit
      clearTimeout(hard)
    },
  }
}
