/** Commands that the gateway knows by name, for what they do to a connection. */
import { commandName } from '../resp/command-name.ts'
import type { KnownArguments } from '../resp/command-parser.ts'
import { encodeCommand, encodeError } from '../resp/encode.ts'

/** What a connection asks first, for itself. */
export const whoami = encodeCommand(['ACL', 'WHOAMI'])
/** What Redis says to a connection that it does not take, whatever was asked. */
export const turnedAway = /^-(ERR max number of clients|DENIED )/
export const noMaintenance = encodeError("ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.")

const uncountable: ReadonlySet<string> = new Set(
  'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC'.split(' '),
)
const uncountableOfClient: ReadonlySet<string> = new Set(['REPLY', 'TRACKING', 'CACHING'])

/** One reply comes of it, and none without being asked for. */
export function isCountable(name: string, args: KnownArguments): boolean {
  const word = name === 'CLIENT' ? args[1] : null
  return !uncountable.has(name) && (word === undefined || word === null || !uncountableOfClient.has(commandName(word)))
}

/** Redis would tell the client of another server, and lead it past the gateway. */
export function isMaintenance(name: string, args: KnownArguments): boolean {
  const word = name === 'CLIENT' ? args[1] : null
  return word !== undefined && word !== null && commandName(word) === 'MAINT_NOTIFICATIONS'
}
