/** `baton generation`: the process that serves. Joins the keeper's orders and the process's signals to the app. */
import { BatonError, exitCode } from '../errors.ts'
import { connectKeeper } from '../keeper/link.ts'
import type { ListenerFds } from '../keeper/protocol.ts'
import type { World } from '../world.ts'
import { command as define } from './command.ts'
import { configFile, configOption } from './config-option.ts'
import { report } from './report.ts'
import { keepServing } from './terminal.ts'

const call = 'usage: baton generation -c FILE'

/** A second signal sooner than this is the same press of a key, told twice. */
const secondSignalMs = 500

export const command = define({
  usage: `${call}\n\nStarted by "baton run"; not for people.`,
  options: configOption,
  positionals: [],
  async run(values, _positionals, context) {
    const { world } = context
    keepServing(process)
    world.onSignal('SIGUSR1', () => undefined) // Without a handler this opens Node's inspector.
    const keeper = await connectKeeper(world)
    const { createApp } = await import('../app.ts')
    const app = createApp({ configFile: configFile(values.config, call), listenerFds: listenerFds(world), keeper, world })
    return await new Promise<number>((resolve) => {
      let stopAt: number | null = null
      const stopNow = (): void => {
        app.stopNow()
        resolve(exitCode.failed)
      }
      const stop = (): void => {
        if (stopAt !== null) {
          if (world.elapsed() - stopAt >= secondSignalMs) stopNow()
          return
        }
        stopAt = world.elapsed()
        keeper.leaving()
        app.stop().then(
          () => resolve(exitCode.done),
          (error: unknown) => resolve(report(error, context)),
        )
      }
      keeper.onStop = stop
      keeper.onStopNow = stopNow
      keeper.onReload = () => app.reload()
      world.onSignal('SIGTERM', stop)
      world.onSignal('SIGINT', stop)
      world.onSignal('SIGHUP', () => app.reload())
      app.start().catch((error: unknown) => resolve(report(error, context)))
    })
  },
})

function listenerFds(world: World): ListenerFds {
  const value = world.env.BATON_LISTENERS
  if (value === undefined) throw new BatonError('usage', 'BATON_LISTENERS is missing: use "baton run -c FILE"')
  return JSON.parse(value) as ListenerFds
}
