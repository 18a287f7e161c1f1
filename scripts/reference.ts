/** Writes docs/reference/ from the code: `npm run docs`. test/docs/reference.test.ts fails when a page and the code have parted. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { referencePages } from './reference/pages.ts'

const folder = fileURLToPath(new URL('../docs/reference/', import.meta.url))

for (const [name, text] of Object.entries(await referencePages())) {
  writeFileSync(`${folder}${name}`, text)
  console.log(`docs/reference/${name}`)
}
