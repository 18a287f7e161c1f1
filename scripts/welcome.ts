/** Before `npm start`: what to try. The lines are those at the head of config/baton.yaml, so that they are written once. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../config/baton.yaml', import.meta.url))
const lines = readFileSync(file, 'utf8').matchAll(/^# {3}(curl .*)$/gm)

console.log('baton on :8080 with two versions of an example app (config/baton.yaml). In another terminal, try:\n')
for (const [, line] of lines) console.log(`  ${line}`)
console.log('\n  npx baton status\n\nor open http://localhost:8080/ in a browser. Ctrl-C ends it.\n')
