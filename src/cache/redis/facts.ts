/** What a server says of itself, and which server cannot be a source. */
import { BatonError } from '../../errors.ts'
import type { Reply, ServerFacts } from '../session.ts'
import type { Access } from './access.ts'
import { type RedisConnection, showAddress } from './connection.ts'

/** From here on pushes inside EXEC's replies, and a crash of tracking, are mended. */
const oldest = [7, 0, 10] as const

export interface FoundFacts extends ServerFacts {
  readonly role: string
  readonly mode: string
}

/** @throws BatonError `unsupported` where it may not be asked for */
export async function factsOf(access: Access, connection: RedisConnection): Promise<FoundFacts> {
  const [info, whoami, commands] = await connection.send([['INFO'], ['ACL', 'WHOAMI'], ['COMMAND']])
  const text = granted('INFO', info)
  const user = granted('ACL WHOAMI', whoami)
  if (!Array.isArray(commands)) throw refused('COMMAND', commands)
  return {
    version: field(text, 'redis_version') ?? '0',
    runId: field(text, 'run_id') ?? '',
    role: field(text, 'role') ?? '',
    mode: field(text, 'redis_mode') ?? '',
    evictionPolicy: field(text, 'maxmemory_policy'),
    address: showAddress(access.address),
    user,
    commands,
  }
}

/** @throws BatonError `unsupported`, `unreachable` for a replica */
export function refuseUnsuitable({ version, role, mode, address }: FoundFacts): void {
  if (mode === 'cluster')
    throw unsupported(`redis at ${address} is a cluster node, whose keys are not cached; everything is passed through`)
  // it may be promoted, or be demoted, in the very second
  if (role !== 'master')
    throw new BatonError('unreachable', `redis at ${address} is a ${role}, expected a master: it would tell of changes late`)
  if (isOlder(version)) throw unsupported(`redis at ${address} is ${version}, expected ${oldest.join('.')} or later`)
}

function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number)
  for (const [at, least] of oldest.entries()) {
    const part = parts[at] ?? 0
    if (part !== least) return part < least
  }
  return false
}

function field(info: string, name: string): string | null {
  const line = info.split('\r\n').find((candidate) => candidate.startsWith(`${name}:`))
  return line === undefined ? null : line.slice(name.length + 1)
}

function granted(command: string, reply: Reply | undefined): string {
  if (!Buffer.isBuffer(reply)) throw refused(command, reply)
  return reply.toString()
}

function refused(command: string, reply: Reply | undefined): BatonError {
  return unsupported(`redis refuses ${command}, which baton needs: ${reply instanceof Error ? reply.message : 'no answer'}`)
}

function unsupported(message: string): BatonError {
  return new BatonError('unsupported', message)
}
