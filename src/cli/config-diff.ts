/** `baton config diff` */
import { readConfigText } from '../config/config-file.ts'
import { BatonError, exitCode } from '../errors.ts'
import { ConfigLog } from '../fleet/config-log.ts'
import { command as define } from './command.ts'
import { configOption } from './config-option.ts'
import { etcdUsage, withEtcd } from './etcd-option.ts'
import { readRevisionOption, revisionAt } from './revision.ts'
import { textDiff } from './text-diff.ts'

const call = 'usage: baton config diff -c FILE [--revision N] [--json] [FILE]'

export const command = define({
  usage: `${call}

Shows what putting FILE would change; without FILE, what was changed since revision N.

${etcdUsage}
  --revision N        compare with that one, and not with the present one
  --json              {"same": …, "diff": …}

exit code: 0 shown, whether they differ or not; 1 etcd cannot be reached, or denies it; 2 usage; 4 there is none to compare with`,
  options: { ...configOption, revision: { type: 'string' }, json: { type: 'boolean' } },
  positionals: [],
  optional: ['FILE'],
  async run(values, [file], { world, print }) {
    const revision = readRevisionOption('--revision', values.revision)
    if (file === undefined && revision === null) throw new BatonError('usage', `FILE or --revision N is missing; ${call}`)
    return await withEtcd(values.config, call, world, async ({ store, prefix }) => {
      const log = new ConfigLog(store, prefix)
      const before = await revisionAt(log, revision)
      const after =
        file === undefined
          ? await revisionAt(log, null).then(({ revision: now, text }) => ({ name: `revision ${now}`, text }))
          : { name: file, text: await readConfigText(file) }
      const diff = textDiff({ name: `revision ${before.revision}`, text: before.text }, after)
      print(values.json ? `${JSON.stringify({ same: diff === '', diff })}\n` : diff)
      return exitCode.done
    })
  },
})
