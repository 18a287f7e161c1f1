/** `baton cache …`: what is kept of Redis for the versions. */
import { commandGroup, type Subcommands } from './command-group.ts'

const usage = `usage: baton cache COMMAND [options]

What the running baton keeps of Redis for the versions of the app.

  stats         how much, how often it answers, and how old that is
  warm NAME     read what is worth it into the cache of version NAME
  flush         drop everything
  explain KEY   why a key is answered from the cache, or is not

"baton cache COMMAND --help" tells more.`

export const subcommands: Subcommands = {
  stats: () => import('./cache-stats.ts'),
  warm: () => import('./cache-warm.ts'),
  flush: () => import('./cache-flush.ts'),
  explain: () => import('./cache-explain.ts'),
}

export const command = commandGroup('cache', usage, subcommands)
