/** `baton config put` */
import { readConfigText } from '../config/config-file.ts'
import { command as define } from './command.ts'
import { configOption } from './config-option.ts'
import { writeConfig, writeOptions, writeUsage } from './config-write.ts'
import { etcdUsage, withEtcd } from './etcd-option.ts'
import { readRevision } from './revision.ts'

const call = 'usage: baton config put -c FILE [--expect-revision N] [--wait] FILE'

export const command = define({
  usage: `${call}

Writes FILE, a dynamic half, to etcd, from where every instance takes it.

${etcdUsage}
${writeUsage}`,
  options: { ...configOption, ...writeOptions },
  positionals: ['FILE'],
  async run(values, [file = ''], context) {
    const expected = readRevision('--expect-revision', values['expect-revision'])
    const text = await readConfigText(file)
    const { force = false, wait = false, timeout, json = false } = values
    return await withEtcd(values.config, call, context.world, (shared) =>
      writeConfig(shared, { text, source: file, expected, force, wait, timeout, json }, context),
    )
  },
})
