/** The life of the process: arguments → command → exit code. */
import { findCommand } from './cli/commands.ts'
import { report } from './cli/report.ts'
import { terminal } from './cli/terminal.ts'
import { realWorld } from './world.ts'

export async function main(argv: readonly string[]): Promise<void> {
  // A command ends when it says so: neither its timers nor connections that idle keep the process alive until then.
  new MessageChannel().port1.ref()
  const context = { world: realWorld, ...terminal(process) }
  const code = await findCommand(argv)
    .then(({ command, args }) => command.run(args, context))
    .catch((error: unknown) => report(error, context))
  context.leave(code)
}
