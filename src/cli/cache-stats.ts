/** `baton cache stats` */
import { exitCode } from '../errors.ts'
import { adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { ask } from './admin-client.ts'
import { notUnderstood } from './answer.ts'
import { cacheText, isStats } from './cache-text.ts'
import { command as define } from './command.ts'

export const command = define({
  usage: `usage: baton cache stats

Shows what is kept for each version, how often it answers, and whether it is tracked.

  --json              the answer of the admin API
${adminUsage}

exit code: 0 shown; 1 unreachable; 2 usage; 4 there is no cache`,
  options: { ...adminOptions, json: { type: 'boolean' } },
  positionals: [],
  async run(values, _positionals, { world, print }) {
    const answer = await ask(adminAddress(values, world), { method: 'GET', path: '/v1/cache' })
    if (!isStats(answer)) throw notUnderstood('cache')
    print(values.json === true ? `${JSON.stringify(answer)}\n` : cacheText(answer))
    return exitCode.done
  },
})
