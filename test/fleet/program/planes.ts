/** Instances in one process: `node planes.ts '{"count": 3, …}'` prints their ports as one line of JSON, and ends at SIGTERM. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startInstance } from '../kit/instance.ts'

export interface Ordered {
  readonly count: number
  readonly endpoints: readonly string[]
  readonly prefix: string
  readonly appPort: number
}

const { count, ...place } = JSON.parse(process.argv[2] ?? '') as Ordered
const folder = mkdtempSync(join(tmpdir(), 'baton-planes-'))
const instances = await Promise.all(
  Array.from({ length: count }, (_, index) => startInstance({ ...place, name: `plane-${index + 1}`, folder: join(folder, String(index)) })),
)
process.once('SIGTERM', async () => {
  await Promise.all(instances.map((instance) => instance[Symbol.asyncDispose]()))
  rmSync(folder, { recursive: true, force: true })
})
console.log(JSON.stringify(instances.map(({ port }) => port)))
