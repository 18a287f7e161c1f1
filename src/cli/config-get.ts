/** `baton config get` */

import { exitCode } from '../errors.ts'
import { ConfigLog } from '../fleet/config-log.ts'
import { command as define } from './command.ts'
import { configOption } from './config-option.ts'
import { etcdUsage, withEtcd } from './etcd-option.ts'
import { readRevisionOption, revisionAt } from './revision.ts'

const call = 'usage: baton config get -c FILE [--revision N] [--json]'

export const command = define({
  usage: `${call}

Prints the configuration in etcd, as it was written.

${etcdUsage}
  --revision N        an earlier one ("baton config history" lists them)
  --json              {revision, text, author}

exit code: 0 printed; 1 etcd cannot be reached, or denies it; 2 usage; 4 there is none`,
  options: { ...configOption, revision: { type: 'string' }, json: { type: 'boolean' } },
  positionals: [],
  async run(values, _positionals, { world, print }) {
    const revision = readRevisionOption('--revision', values.revision)
    return await withEtcd(values.config, call, world, async ({ store, prefix }) => {
      const found = await revisionAt(new ConfigLog(store, prefix), revision)
      print(values.json ? `${JSON.stringify(found)}\n` : found.text)
      return exitCode.done
    })
  },
})
