/** `baton config …`: the configuration in etcd. */
import { commandGroup, type Subcommands } from './command-group.ts'

const usage = `usage: baton config COMMAND -c FILE [options]

The configuration that a fleet of batons takes from etcd.

  put FILE      write FILE's content, if nobody else was faster and every instance would take it
  get           print it, or one before it
  diff [FILE]   what FILE, or an earlier one, has otherwise
  history       who wrote what, when
  rollback REV  write an earlier one again

"baton config COMMAND --help" tells more.`

export const subcommands: Subcommands = {
  put: () => import('./config-put.ts'),
  get: () => import('./config-get.ts'),
  diff: () => import('./config-diff.ts'),
  history: () => import('./config-history.ts'),
  rollback: () => import('./config-rollback.ts'),
}

export const command = commandGroup('config', usage, subcommands)
