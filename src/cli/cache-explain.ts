/** `baton cache explain KEY` */
import type { KeyExplanation } from '../cache/explain.ts'
import { exitCode } from '../errors.ts'
import { adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { ask } from './admin-client.ts'
import { hasAll, notUnderstood } from './answer.ts'
import { command as define } from './command.ts'
import { table } from './table.ts'

export const command = define({
  usage: `usage: baton cache explain KEY [--base64]

Says why KEY is answered from the cache of a version, or is passed through to Redis. The values are not shown.

  --base64            KEY is given so, since it is no text
  --json              the answer of the admin API
${adminUsage}

exit code: 0 shown; 1 unreachable; 2 usage; 4 there is no cache`,
  options: { ...adminOptions, json: { type: 'boolean' }, base64: { type: 'boolean' } },
  positionals: ['KEY'],
  async run(values, [key = ''], { world, print }) {
    const body = values.base64 === true ? { base64: key } : { key }
    const answer = await ask(adminAddress(values, world), { method: 'POST', path: '/v1/cache/explain', body })
    if (!isExplanation(answer)) throw notUnderstood('explanation')
    print(values.json === true ? `${JSON.stringify(answer)}\n` : text(answer))
    return exitCode.done
  },
})

function isExplanation(value: unknown): value is KeyExplanation {
  return hasAll(value, ['key', 'verdict', 'views'])
}

function text({ key, verdict, views }: KeyExplanation): string {
  const rows = views.map(({ version, held }) =>
    held === null
      ? [version, '-', '', '', '', '']
      : [
          version,
          held.is,
          String(held.bytes),
          `${held.ageMs}ms`,
          held.ttlMs === null ? 'none' : `${held.ttlMs}ms`,
          held.hit ? 'yes' : 'no',
        ],
  )
  return `${key}: ${verdict}\n\n${table(['VERSION', 'HELD', 'BYTES', 'READ AGO', 'TTL', 'HIT SINCE'], rows)}`
}
