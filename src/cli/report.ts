/** An error as the user sees it: one line (a configuration's: one a fault), and the exit code. */
import { BatonError, ConfigError, errorMessage, exitCode } from '../errors.ts'
import type { Context } from './command.ts'

export function report(error: unknown, context: Context): number {
  if (error instanceof ConfigError) {
    context.complain(`${error.message}\n`)
    return error.exit
  }
  if (error instanceof BatonError) {
    context.complain(`baton: ${error.message}\n`)
    return error.exit
  }
  // A defect of baton's own; the stack is for whoever is asked to look at it.
  const stack = context.world.env.BATON_DEBUG !== undefined && error instanceof Error ? `\n${error.stack}` : ''
  context.complain(`baton: internal error: ${errorMessage(error).split('\n', 1)[0]}${stack || ' (BATON_DEBUG=1 shows where)'}\n`)
  return exitCode.failed
}
