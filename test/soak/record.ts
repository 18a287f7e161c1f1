/** `bench/soak.md`: the counts of the last run of each soak, one section each. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../../bench/soak.md', import.meta.url))
const head = '# Soak\n\nThe long runs of `npm run soak`: what was done to baton, and what came of it. Written by the runs themselves.\n'

/** Writes, or replaces, the section. */
export function record(section: string, counts: Readonly<Record<string, string | number>>): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : head
  const sections = before.split(/^(?=## )/m)
  const others = sections.slice(1).filter((text) => !text.startsWith(`## ${section}\n`))
  const machine = `${new Date().toISOString().slice(0, 16)}Z, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}`
  const rows = Object.entries(counts).map(([what, count]) => `| ${what} | ${count} |`)
  const text = `## ${section}\n\n${machine}\n\n| what | count |\n| --- | --- |\n${rows.join('\n')}\n`
  const all = [...others.map((other) => `${other.trimEnd()}\n`), text].sort()
  writeFileSync(file, [`${(sections[0] ?? head).trimEnd()}\n`, ...all].join('\n'))
}
