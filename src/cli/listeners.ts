/** `baton listeners`: all that the keeper needs to know of a configuration, as JSON. */
import { join } from 'node:path'
import type { BindAddress, Bootstrap } from '../config/settings.ts'
import { exitCode } from '../errors.ts'
import type { ListenerSpec, ListenersOutput } from '../keeper/protocol.ts'
import { command as define } from './command.ts'
import { configFile, configOption } from './config-option.ts'
import { readConfig } from './read-config.ts'

const call = 'usage: baton listeners -c FILE'

export const command = define({
  usage: `${call}\n\nStarted by "baton run"; not for people.`,
  options: configOption,
  positionals: [],
  async run(values, _positionals, { world, print }) {
    const { bootstrap } = await readConfig(configFile(values.config, call), world)
    const output: ListenersOutput = { v: 1, state: bootstrap.state, listeners: listenersOf(bootstrap) }
    print(`${JSON.stringify(output)}\n`)
    return exitCode.done
  },
})

function listenersOf({ listeners, admin, redis, state }: Bootstrap): ListenerSpec[] {
  return [
    listener('public', listeners.public.address),
    listener('metrics', listeners.metrics.address),
    { name: 'admin', path: join(state, 'admin.sock'), mode: 0o600 },
    ...(admin === null ? [] : [listener('admin-tcp', admin.address)]),
    ...Object.entries(redis?.gateways ?? {}).map(([version, { address, mode }]) => listener(`redis-${version}`, address, mode)),
  ]
}

/** A public Unix socket is open to every user of the machine, as a public port is; the folder that it is in decides. */
function listener(name: string, address: BindAddress, mode = 0o666): ListenerSpec {
  return address.is === 'tcp' ? { name, host: address.host, port: address.port } : { name, path: address.path, mode }
}
