/** `baton config put` */
import { readConfigText } from '../config/config-file.ts'
import { command as define } from './command.ts'
import { configOption } from './config-option.ts'
import { readWriteOrder, writeConfig, writeOptions, writeUsage } from './config-write.ts'
import { etcdUsage, withEtcd } from './etcd-option.ts'

const call = 'usage: baton config put -c FILE [--expect-revision N] [--wait] FILE'

export const command = define({
  usage: `${call}

Writes FILE, a dynamic half, to etcd, from where every instance takes it.

${etcdUsage}
${writeUsage}`,
  options: { ...configOption, ...writeOptions },
  positionals: ['FILE'],
  async run(values, [file = ''], context) {
    const order = readWriteOrder(values)
    const proposal = { text: await readConfigText(file), source: file }
    return await withEtcd(values.config, call, context.world, (shared) => writeConfig(shared, proposal, order, context))
  },
})
