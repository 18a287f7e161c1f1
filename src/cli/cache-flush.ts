/** `baton cache flush` */
import { exitCode } from '../errors.ts'
import { adminAddress, adminOptions, adminUsage } from './admin-address.ts'
import { ask } from './admin-client.ts'
import { command as define } from './command.ts'

export const command = define({
  usage: `usage: baton cache flush

Drops all that the running baton keeps of Redis. Nothing fails by it: what is asked for comes from Redis, and is kept again.

  --json              the answer of the admin API
${adminUsage}

exit code: 0 done; 1 unreachable; 2 usage; 4 there is no cache`,
  options: { ...adminOptions, json: { type: 'boolean' } },
  positionals: [],
  async run(values, _positionals, { world, print }) {
    const answer = await ask(adminAddress(values, world), { method: 'POST', path: '/v1/cache/flush' })
    print(values.json === true ? `${JSON.stringify(answer)}\n` : 'everything is dropped\n')
    return exitCode.done
  },
})
