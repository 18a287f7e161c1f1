/** The example configurations as they are, but on free ports and in a folder of their own, so that a test can run them anywhere. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePorts } from './free-ports.ts'

export interface ExampleConfig {
  readonly file: string
  /** For the state of the baton that runs it. */
  readonly state: string
  /** The example's port → the one that stands in for it; 8080 and 9902, baton's defaults, among them. */
  readonly ports: ReadonlyMap<number, number>
}

/** `root`: the folder that the example's `cwd: ..` means. Only loopback is listened on. */
export async function copyExample(t: TestContext, root: string, name: string): Promise<ExampleConfig> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-example-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const text = withListeners(readFileSync(join(root, 'config', name), 'utf8'))
  const known = [...new Set([...text.matchAll(/(?<=[:\s])(8080|9902|30\d\d)\b/g)].map(([port]) => Number(port)))]
  const free = await freePorts(known.length)
  const ports = new Map(known.map((port, index) => [port, free[index] ?? 0]))
  const moved = [...ports].reduce((before, [from, to]) => before.replaceAll(new RegExp(`(?<=[:\\s])${from}\\b`, 'g'), String(to)), text)
  const file = join(folder, name)
  writeFileSync(
    file,
    moved
      .replaceAll('cwd: ..', `cwd: ${JSON.stringify(root)}`)
      .replaceAll('0.0.0.0', '127.0.0.1')
      .replaceAll('/tmp/', `${folder}/`),
  )
  return { file, state: join(folder, 'state'), ports }
}

/** An example that leaves the listeners to their defaults gets them written out: the defaults are fixed ports. */
function withListeners(text: string): string {
  if (text.includes('listeners:')) return text
  const listeners = '  listeners: { public: { address: 0.0.0.0:8080 }, metrics: { address: 0.0.0.0:9902 } }\n'
  return text.includes('\nbootstrap:\n') ? text.replace('\nbootstrap:\n', `\nbootstrap:\n${listeners}`) : `bootstrap:\n${listeners}${text}`
}
