/** Which server is the master: the one that is configured, or the one that the sentinels name. */
import type { RedisSettings } from '../../config/settings.ts'
import { BatonError, errorMessage } from '../../errors.ts'
import type { World } from '../../world.ts'
import type { Access, Address } from './access.ts'
import { connectRedis, type RedisConnection, showAddress } from './connection.ts'
import type { Credentials } from './credentials.ts'

export interface Master {
  /** As last known; null: nobody has said yet. */
  readonly access: Access | null
  /** @throws BatonError `unreachable` when nobody can say */
  find(): Promise<Access>
  /** Calls `moved` whenever it is another one than before. */
  follow(moved: (address: string) => void): void
  close(): void
}

export function masterOf(settings: RedisSettings, credentials: Credentials, world: Pick<World, 'after' | 'every'>): Master {
  const { place, database } = settings
  const accessTo = (address: Address): Access => ({ address, database, ...credentials.redis, tls: credentials.tls })
  if (place.is === 'sentinels') return new SentinelMaster(place, credentials, accessTo, world)
  const access = accessTo(place)
  return { access, find: () => Promise.resolve(access), follow: () => {}, close: () => {} }
}

type Sentinels = Extract<RedisSettings['place'], { readonly is: 'sentinels' }>

const switched = '+switch-master'
/** A forced failover has a new master a second before it is announced. */
const askEveryMs = 1_000
/** A sentinel that has not answered by then is passed over. */
const patienceMs = 2_000

/** Asks one sentinel after the other; hears of a failover from the one that answered, and asks it again each second. */
class SentinelMaster implements Master {
  readonly #place: Sentinels
  readonly #credentials: Credentials
  readonly #accessTo: (address: Address) => Access
  readonly #world: Pick<World, 'after' | 'every'>
  #access: Access | null = null
  /** One that is asked and one that is told; they live and die together. */
  #connections: RedisConnection[] = []
  #asked: RedisConnection | null = null
  #asking: Promise<Access> | null = null
  #moved: (address: string) => void = () => {}
  #timer: { cancel(): void } | null = null
  /** Ends what waits for the sentinel that is being asked. */
  #over = new AbortController()
  #closed = false

  constructor(place: Sentinels, credentials: Credentials, accessTo: (address: Address) => Access, world: Pick<World, 'after' | 'every'>) {
    this.#place = place
    this.#credentials = credentials
    this.#accessTo = accessTo
    this.#world = world
  }

  get access(): Access | null {
    return this.#access
  }

  find(): Promise<Access> {
    this.#asking ??= this.#find().finally(() => (this.#asking = null))
    return this.#asking
  }

  follow(moved: (address: string) => void): void {
    this.#moved = moved
    // nobody to ask now: the next second will tell
    this.#timer = this.#world.every(askEveryMs, () => void this.find().catch(() => {}))
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#leave()
  }

  async #find(): Promise<Access> {
    const asked = this.#asked
    if (asked !== null) {
      try {
        return this.#take(await this.#within(this.#ask(asked)))
      } catch {
        // the next one may know
        this.#leave()
      }
    }
    const reasons: string[] = []
    for (const { host, port } of this.#place.addresses) {
      try {
        return this.#take(await this.#within(this.#join({ is: 'tcp', host, port })))
      } catch (error) {
        this.#leave()
        reasons.push(errorMessage(error))
      }
    }
    throw new BatonError('unreachable', `no sentinel names a master "${this.#place.master}": ${reasons.join('; ')}`)
  }

  async #join(address: Address): Promise<Address> {
    const access: Access = { address, database: 0, ...this.#credentials.sentinels, tls: this.#credentials.tls }
    const hooks = { lost: () => this.#leave(), message: () => void this.find().catch(() => {}) }
    const told = await this.#connect(access, hooks)
    await told.subscribe(switched)
    const asked = await this.#connect(access, { ...hooks, message: () => {} })
    const master = await this.#ask(asked)
    this.#asked = asked
    return master
  }

  async #connect(access: Access, hooks: Parameters<typeof connectRedis>[3]): Promise<RedisConnection> {
    const connection = await connectRedis(access, 2, 'baton-sentinel', hooks, this.#over.signal)
    this.#connections.push(connection)
    if (this.#closed) this.#leave()
    return connection
  }

  async #ask(connection: RedisConnection): Promise<Address> {
    const [reply] = await connection.send([['SENTINEL', 'get-master-addr-by-name', this.#place.master]])
    if (reply instanceof Error) throw reply
    if (!Array.isArray(reply)) throw new Error(`it knows no master "${this.#place.master}"`)
    return { is: 'tcp', host: String(reply[0]), port: Number(reply[1]) }
  }

  #take(address: Address): Access {
    const before = this.#access
    this.#access = this.#accessTo(address)
    const now = showAddress(address)
    if (before !== null && showAddress(before.address) !== now) this.#moved(now)
    return this.#access
  }

  /** One that is silent is left. */
  async #within<T>(work: Promise<T>): Promise<T> {
    const timer = this.#world.after(patienceMs, () => this.#leave())
    try {
      return await work
    } finally {
      timer.cancel()
    }
  }

  #leave(): void {
    this.#over.abort()
    this.#over = new AbortController()
    const connections = this.#connections
    this.#connections = []
    this.#asked = null
    for (const connection of connections) connection.close()
  }
}
