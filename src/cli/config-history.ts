/** `baton config history` */
import { exitCode } from '../errors.ts'
import { ConfigLog } from '../fleet/config-log.ts'
import { command as define } from './command.ts'
import { configOption } from './config-option.ts'
import { etcdUsage, withEtcd } from './etcd-option.ts'
import { table } from './table.ts'

const call = 'usage: baton config history -c FILE [--json]'

export const command = define({
  usage: `${call}

Lists the configurations that etcd holds, the newest first: the present one and the last 50 before it.

${etcdUsage}
  --json              [{revision, author: {at, by}}]

exit code: 0 shown; 1 etcd cannot be reached, or denies it; 2 usage`,
  options: { ...configOption, json: { type: 'boolean' } },
  positionals: [],
  async run(values, _positionals, { world, print }) {
    return await withEtcd(values.config, call, world, async ({ store, prefix }) => {
      const history = await new ConfigLog(store, prefix).history()
      const rows = history.map(({ revision, author }) => [
        String(revision),
        author === null ? '-' : new Date(author.at).toISOString(),
        author?.by ?? 'not by baton',
      ])
      const shown = rows.length === 0 ? 'no configuration yet\n' : table(['REVISION', 'WRITTEN', 'BY'], rows)
      print(values.json ? `${JSON.stringify(history)}\n` : shown)
      return exitCode.done
    })
  },
})
