/** Before `npm start`: what to try. The lines are those at the head of the configuration that it runs, so that they are written once. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const name = process.argv[2] ?? 'config/baton.yaml'
const text = readFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), 'utf8')
const head = text.split('\n\n', 1)[0] ?? ''

console.log(`${name}:\n\n${head.replace(/^# ?/gm, '')}\n`)
console.log('Commands are for another terminal; http://localhost:8080/ is for a browser. Ctrl-C ends it.')
if (name !== 'config/redis.yaml') console.log('With a Redis on :6379, npm run start:redis shows v2 with a warm cache, and with a cold one.')
console.log('')
