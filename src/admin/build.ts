/** Which build of baton this is: read as the code is loaded, since after an upgrade in place the file tells of code that does not run yet. */
import { readFileSync } from 'node:fs'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

export function buildVersion(): string {
  return version
}
