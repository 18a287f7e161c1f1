/** A page of the bench that is written part by part: each part its own section, between two marks. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** In bench/rollback.md. */
export function writeRollbackSection(name: string, text: string): void {
  writeSection(join(import.meta.dirname, 'rollback.md'), '# Rollback by itself\n', name, text)
}

/** The section of this name is replaced, or added at the end; what stands around it stays. `head`: of a page that is not there yet. */
export function writeSection(file: string, head: string, name: string, text: string): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : head
  writeFileSync(file, withSection(before, name, text))
}

/** Pure. */
export function withSection(page: string, name: string, text: string): string {
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- end of the ${name} -->`]
  const section = `${opening}\n${text}\n\n${closing}`
  const [from, to] = [page.indexOf(opening), page.indexOf(closing)]
  if (from === -1 || to < from) return `${page.trimEnd()}\n\n${section}\n`
  return `${page.slice(0, from)}${section}${page.slice(to + closing.length)}`
}
