/** `baton config rollback` */
import { ConfigLog } from '../fleet/config-log.ts'
import { command as define } from './command.ts'
import { configOption } from './config-option.ts'
import { readWriteOrder, writeConfig, writeOptions, writeUsage } from './config-write.ts'
import { etcdUsage, withEtcd } from './etcd-option.ts'
import { readRevision, revisionAt } from './revision.ts'

const call = 'usage: baton config rollback -c FILE [--expect-revision N] [--wait] REV'

export const command = define({
  usage: `${call}

Writes the configuration of revision REV again, as a new revision ("baton config history" lists them).

${etcdUsage}
${writeUsage}`,
  options: { ...configOption, ...writeOptions },
  positionals: ['REV'],
  async run(values, [rev = ''], context) {
    const order = readWriteOrder(values)
    const revision = readRevision('REV', rev)
    return await withEtcd(values.config, call, context.world, async (shared) => {
      const { text } = await revisionAt(new ConfigLog(shared.store, shared.prefix), revision)
      return await writeConfig(shared, { text, source: `revision ${revision}` }, order, context)
    })
  },
})
