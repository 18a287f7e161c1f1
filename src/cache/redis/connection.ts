/** One connection of baton's own to a Redis, by ioredis: its end is told and never hidden by a reconnect, and nothing waits for a next one. */
import type { Redis, RedisOptions } from 'ioredis'
import { BatonError, errorMessage } from '../../errors.ts'
import type { Reply, Words } from '../session.ts'
import type { Access, Address } from './access.ts'

export interface ConnectionHooks {
  /** Once; not after `close`. */
  lost(reason: string): void
  /** On the channels that were subscribed to; null is the invalidation of everything. */
  message(channel: string, message: Buffer | readonly Buffer[] | null): void
}

const connectTimeoutMs = 2_000

/** `protocol` 2 for one that subscribes: ioredis tells of invalidations there only. @throws BatonError `unreachable` */
export async function connectRedis(
  access: Access,
  protocol: 2 | 3,
  name: string,
  hooks: ConnectionHooks,
  signal: AbortSignal | null = null,
): Promise<RedisConnection> {
  // ioredis, whole: only where there is a cache
  const { Redis: Client } = await import('ioredis')
  const redis = new Client(optionsOf(access, protocol, name))
  const connection = new RedisConnection(redis, hooks)
  // a server that takes the connection may answer nothing on it
  const giveUp = () => connection.close()
  signal?.addEventListener('abort', giveUp)
  try {
    signal?.throwIfAborted()
    await redis.connect()
    return connection
  } catch (error) {
    connection.close()
    throw new BatonError('unreachable', `redis at ${showAddress(access.address)}: ${connection.lastError ?? errorMessage(error)}`, error)
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

export class RedisConnection {
  readonly #redis: Redis
  readonly #hooks: ConnectionHooks
  /** The client tells of the cause apart from the end. */
  lastError: string | null = null
  #ended = false

  constructor(redis: Redis, hooks: ConnectionHooks) {
    this.#redis = redis
    this.#hooks = hooks
    redis.on('error', (error: unknown) => (this.lastError = errorMessage(error)))
    redis.on('close', () => this.#end(this.lastError ?? 'the connection was closed'))
    redis.on('messageBuffer', (channel: Buffer, message: Buffer | readonly Buffer[] | null) => hooks.message(channel.toString(), message))
  }

  /** In one piece; one reply a command. @throws BatonError when the connection ends before */
  async send(commands: readonly Words[]): Promise<readonly Reply[]> {
    const pipeline = this.#redis.pipeline()
    for (const [name = '', ...args] of commands) pipeline.callBuffer(String(name), args)
    const replies = await pipeline.exec()
    if (this.#ended || replies === null) throw new BatonError('unreachable', this.lastError ?? 'the connection was closed')
    return replies.map(([error, reply]) => error ?? (reply as Reply))
  }

  /** @throws when the connection ends before */
  async ping(): Promise<void> {
    await this.#redis.ping()
  }

  /** @throws BatonError `unsupported` when Redis refuses it, `unreachable` when the connection ends before */
  async subscribe(channel: string): Promise<void> {
    try {
      await this.#redis.subscribe(channel)
    } catch (error) {
      if (this.#ended) throw new BatonError('unreachable', this.lastError ?? 'the connection was closed', error)
      throw new BatonError('unsupported', `redis refuses SUBSCRIBE ${channel}, which baton needs: ${errorMessage(error)}`, error)
    }
  }

  /** What was sent and not answered fails. */
  close(): void {
    this.#ended = true
    this.#redis.disconnect()
    // a peer that is gone answers no FIN
    this.#redis.stream?.destroy()
  }

  #end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#hooks.lost(reason)
  }
}

function optionsOf(
  { address, database, user, password, tls }: Access,
  protocol: 2 | 3,
  name: string,
): RedisOptions & { replyMapping: 'legacy' } {
  return {
    ...(address.is === 'tcp' ? { host: address.host, port: address.port } : { path: address.path }),
    db: database,
    replyMapping: 'legacy',
    protocol,
    connectionName: name,
    connectTimeout: connectTimeoutMs,
    ...(user === null ? {} : { username: user }),
    ...(password === null ? {} : { password }),
    ...(tls === null ? {} : { tls: { ...tls } }),
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    retryStrategy: () => null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    disableClientInfo: true,
  }
}

export function showAddress(address: Address): string {
  return address.is === 'tcp' ? `${address.host}:${address.port}` : address.path
}
