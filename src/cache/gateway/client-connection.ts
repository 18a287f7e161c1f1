/**
 * One client of the gateway, and the connection to Redis that is its own. What the view can answer is answered here; everything else goes
 * there verbatim and comes back verbatim, and what it has changed is dropped from the views before the client hears of it (CACHE.md
 * sections 2 and 6).
 *
 * - *plain*: commands are taken apart, and each has its slot.
 * - *opaque*: after a command whose replies cannot be counted (SUBSCRIBE, MONITOR, …) the bytes are passed both ways until the end; before
 *   each chunk from Redis everything that Redis had told is heard, so that the client's own writes count here as well.
 */
import type { Socket } from 'node:net'
import { errorMessage } from '../../errors.ts'
import { commandName } from '../resp/command-name.ts'
import { type Command, CommandParser, type CommandReceiver, commandLimits, type KnownArguments } from '../resp/command-parser.ts'
import { encodeError } from '../resp/encode.ts'
import { ProtocolError } from '../resp/protocol-error.ts'
import { ReplyScanner } from '../resp/reply-scanner.ts'
import { ClientState } from './client-state.ts'
import { type CommandTable, type Effect, noKeys, unknown, unknownCommands } from './command-table.ts'
import { isLocal } from './local-answer.ts'
import type { Reads } from './reads.ts'
import { localSlot, ownSlot, passedSlot, type Slot, Slots } from './slot.ts'
import { isCountable, isMaintenance, noMaintenance, turnedAway, whoami } from './special-commands.ts'

export interface ConnectionHooks {
  /** Whose rights a connection to Redis has that has said nothing yet; null: nobody's, or not known. */
  newcomer(): string | null
  /** Redis has said it of one. */
  learned(user: string | null): void
  /** Both sides are gone. */
  closed(): void
  /** The connection was ended for it. */
  failed(error: unknown): void
}

/**
 * Commands without their reply, and bytes of local replies that wait for one before them. With more, nothing is answered locally, and what is
 * passed is not told apart. The client is read from all the same: some send all of a pipeline before they read its replies, which are in
 * Redis until then, as they would be without a gateway.
 */
const maxSlots = 4_096
const maxWaitingBytes = 1_048_576
/** Of what has to be told apart always: more, and the client is not read from. */
const mostSlots = 65_536

const [error, push] = [45, 62]

export class ClientConnection implements CommandReceiver {
  readonly #client: Socket
  readonly #redis: Socket
  #reads: Reads | null
  readonly #state = new ClientState()
  readonly #parser = new CommandParser(commandLimits, this)
  readonly #scanner = new ReplyScanner()
  readonly #slots = new Slots()
  /** Commands that may change something and have no reply yet: what is read now could be older than they are. */
  #writes = 0
  /** Bytes of local replies that wait for their turn. */
  #waitingBytes = 0
  /** The command that comes in parts. */
  #open: { readonly slot: Slot; readonly name: string } | null = null
  #opaque = false
  /** Read from the client and not yet taken apart. */
  #unread: Buffer | null = null
  /** Read from Redis; waits for a barrier. */
  #held: Buffer | null = null
  /** The barrier has been reached for what was held, all of it. */
  #heard = false
  /** The reply to a question of the gateway's own, as far as it has come. */
  #own: Buffer[] = []
  #clientFull = false
  #redisFull = false
  #clientEnded = false
  /** It spoke no RESP: what follows is nothing. */
  #refused = false
  #redisLeft = false
  #closed = false
  readonly #hooks: ConnectionHooks

  constructor(client: Socket, redis: Socket, reads: Reads | null, hooks: ConnectionHooks) {
    this.#client = client
    this.#redis = redis
    this.#reads = reads
    this.#hooks = hooks
    this.#listen()
    this.#askWho()
  }

  /** From now on; null: nothing is answered here. */
  use(reads: Reads | null): void {
    this.#reads = reads
  }

  destroy(): void {
    this.#client.destroy()
    this.#redis.destroy()
    this.#end()
  }

  command({ name, args, bytes }: Command): boolean {
    const local = this.#mayAnswer && isLocal(name, args.length) ? (this.#reads?.answer(name, args, this.#state) ?? null) : null
    if (local !== null) return this.#answer(local)
    if (isMaintenance(name, args)) return this.#answer(noMaintenance)
    const missed = this.#reads?.missedBy(name, args, this.#state) ?? null
    this.#toRedis(bytes)
    if (this.#becomesOpaque(name, args)) return false
    this.#pass(name, args, missed)
    return this.#goesOn()
  }

  began(args: KnownArguments): void {
    const [first = null] = args
    const name = first === null ? '' : commandName(first)
    if (this.#becomesOpaque(name, args)) return
    const slot = passedSlot(unknown, null, null)
    this.#open = { slot, name }
    this.#slots.push(slot)
    this.#writes += 1
  }

  part(bytes: Buffer): void {
    this.#toRedis(bytes)
  }

  ended(args: KnownArguments): boolean {
    if (this.#opaque) return false
    const open = this.#open
    this.#open = null
    if (open === null || open.slot.begun) return this.#goesOn()
    const { effect, settle } = this.#state.passing(open.name, args, this.#commands.effectOf(open.name, args))
    open.slot.settle = settle
    open.slot.effect = effect
    if (effect.is === 'nothing') this.#writes -= 1
    return this.#goesOn()
  }

  get #commands(): CommandTable {
    return this.#reads?.commands ?? unknownCommands
  }

  #listen(): void {
    const client = this.#client
    const redis = this.#redis
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk))
    redis.on('data', (chunk: Buffer) => this.#fromRedis(chunk))
    client.on('drain', () => this.#drained())
    redis.on('drain', () => this.#drained())
    // half-closed, as netcat does: Redis answers what it has read, and ends
    client.on('end', () => this.#clientLeaves())
    redis.on('close', () => this.#redisLeaves())
    client.on('close', () => this.destroy())
    // its end follows, and is what matters
    for (const socket of [client, redis]) socket.on('error', () => {})
  }

  /** Whose rights a connection has that says nothing of it: the default user's, or nobody's where that one needs a password. */
  #askWho(): void {
    this.#state.user = this.#hooks.newcomer()
    this.#redis.write(whoami)
    this.#slots.push(
      ownSlot((reply) => {
        const text = reply.toString('latin1')
        if (turnedAway.test(text)) this.#toClient(reply)
        // the first reply of all: before that of any AUTH
        this.#state.user = /^\$\d+\r\n(.+)\r\n$/s.exec(text)?.[1] ?? null
        this.#hooks.learned(this.#state.user)
      }),
    )
  }

  #fromClient(chunk: Buffer): void {
    if (this.#refused) return
    if (this.#opaque) {
      this.#toRedis(chunk)
      this.#settleFlow()
      return
    }
    this.#redis.cork()
    this.#client.cork()
    try {
      const rest = this.#parser.push(chunk)
      if (rest !== null && this.#opaque) this.#toRedis(rest)
      else this.#unread = rest
    } catch (error) {
      this.#refuse(error)
    } finally {
      this.#redis.uncork()
      this.#client.uncork()
    }
    this.#settleFlow()
  }

  /** As Redis does: the error after all replies that come before it, and the end. */
  #refuse(error: unknown): void {
    if (!(error instanceof ProtocolError)) this.#hooks.failed(error)
    this.#refused = true
    this.#answer(encodeError(`ERR ${errorMessage(error)}`))
    this.#clientLeaves()
  }

  #answer(reply: Buffer): boolean {
    if (this.#slots.size === 0) {
      this.#toClient(reply)
    } else {
      this.#waitingBytes += reply.length
      this.#slots.push(localSlot(reply))
    }
    return this.#goesOn()
  }

  #pass(name: string, args: readonly Buffer[], missed: Slot['missed']): void {
    const { effect, settle } = this.#state.passing(name, args, this.#commands.effectOf(name, args))
    // Redis tells nobody of a SWAPDB
    if (this.#slots.size >= maxSlots && settle === null && effect.is !== 'everything') return this.#extendRun(effect)
    if (effect.is !== 'nothing') this.#writes += 1
    this.#slots.push(passedSlot(effect, settle, missed))
  }

  /** One write in it, and all of it waits for what Redis tells. */
  #extendRun(effect: Effect): void {
    const slot = this.#slots.extendRun()
    if (effect.is === 'nothing' || slot.effect.is !== 'nothing') return
    slot.effect = unknown
    this.#writes += 1
  }

  #becomesOpaque(name: string, args: KnownArguments): boolean {
    if (isCountable(name, args)) return false
    this.#opaque = true
    return true
  }

  #fromRedis(chunk: Buffer): void {
    let at = 0
    let passed = 0
    this.#client.cork()
    try {
      while (at < chunk.length) {
        const slot = this.#slots.first
        if (this.#scanner.idle && !this.#begins(slot, chunk[at] ?? 0)) {
          this.#toClient(chunk.subarray(passed, at))
          this.#hold(chunk.subarray(at))
          return
        }
        if (slot === null) break
        const end = this.#scanner.scan(chunk, at)
        const to = end === -1 ? chunk.length : end
        if (slot.own !== null && this.#scanner.kind !== push) {
          this.#toClient(chunk.subarray(passed, at))
          this.#own.push(Buffer.from(chunk.subarray(at, to)))
          passed = to
        }
        at = to
        if (end === -1 || this.#scanner.kind === push) continue
        if (slot.local === null) this.#complete(slot)
        if (this.#slots.first?.local === undefined || this.#slots.first.local === null) continue
        this.#toClient(chunk.subarray(passed, at))
        passed = at
        this.#flushLocal()
      }
      this.#toClient(chunk.subarray(passed))
    } catch (error) {
      this.#hooks.failed(error)
      this.destroy()
    } finally {
      this.#client.uncork()
    }
    this.#settleFlow()
  }

  /** The moment at which a reply's first byte is there. False: it has to wait. */
  #begins(slot: Slot | null, kind: number): boolean {
    if (slot === null) return !this.#opaque || this.#heard
    if (slot.begun || kind === push) return true
    const waits = slot.effect.is === 'unknown' || (this.#reads?.causal === true && slot.own === null)
    if (waits && !this.#heard) return false
    // whoever may not flush, or has not logged in, would empty the cache else
    if (slot.effect.is === 'everything' && kind === error) slot.effect = noKeys
    this.#carryOut(slot)
    return true
  }

  #hold(bytes: Buffer): void {
    this.#held = bytes
    this.#settleFlow()
    void (this.#reads?.tracker.barrier() ?? Promise.resolve()).then(() => {
      if (this.#closed || this.#held === null) return
      const held = this.#held
      this.#held = null
      this.#heard = true
      this.#fromRedis(held)
      this.#heard = false
      if (this.#redisLeft) this.#redisLeaves()
    })
  }

  /** In one synchronous step with passing the reply on. */
  #carryOut(slot: Slot): void {
    slot.begun = true
    this.#apply(slot.effect)
    if (slot.effect.is !== 'nothing' && (slot.run === null || slot.run === 1)) this.#writes -= 1
  }

  #apply(effect: Effect): void {
    const tracker = this.#reads?.tracker
    if (effect.is === 'everything') tracker?.killAll()
    else if (effect.is === 'keys') for (const key of effect.keys) tracker?.kill(key)
  }

  #complete(slot: Slot): void {
    if (slot.run !== null && slot.run > 1) {
      slot.run -= 1
      slot.begun = false
      if (this.#reads !== null) this.#reads.counts.passed += 1
      return
    }
    this.#slots.shift()
    const ok = this.#scanner.kind !== error
    slot.settle?.(ok)
    if (slot.own !== null) {
      slot.own(Buffer.concat(this.#own))
      this.#own = []
      return
    }
    if (this.#reads === null) return
    this.#reads.counts.passed += 1
    if (slot.missed !== null && ok && this.#scanner.size <= this.#reads.maxReplyBytes) this.#reads.admit(slot.missed)
  }

  #flushLocal(): void {
    for (;;) {
      const reply = this.#slots.first?.local
      if (reply === undefined || reply === null) return
      this.#slots.shift()
      this.#waitingBytes -= reply.length
      this.#toClient(reply)
    }
  }

  #toClient(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#client.write(bytes)) this.#clientFull = true
  }

  #toRedis(bytes: Buffer): void {
    if (!this.#redis.write(bytes)) this.#redisFull = true
  }

  #goesOn(): boolean {
    return !this.#redisFull && this.#slots.size < mostSlots
  }

  get #mayAnswer(): boolean {
    return this.#writes === 0 && !this.#clientFull && this.#slots.size < maxSlots && this.#waitingBytes < maxWaitingBytes
  }

  #drained(): void {
    this.#clientFull = this.#client.writableNeedDrain
    this.#redisFull = this.#redis.writableNeedDrain
    this.#settleFlow()
  }

  /** Who is not read from, and who is again: a side that does not read slows the other one down. */
  #settleFlow(): void {
    if (this.#closed) return
    if (this.#clientFull || this.#held !== null) this.#redis.pause()
    else this.#redis.resume()
    if (!this.#goesOn()) {
      this.#client.pause()
      return
    }
    if (this.#unread === null) {
      this.#client.resume()
      if (this.#clientEnded) this.#redis.end()
      return
    }
    const unread = this.#unread
    this.#unread = null
    this.#fromClient(unread)
  }

  #clientLeaves(): void {
    this.#clientEnded = true
    if (this.#unread === null) this.#redis.end()
  }

  #redisLeaves(): void {
    this.#redisLeft = true
    // they may run later: what Redis tells of them then does the rest
    for (const slot of this.#slots.rest()) if (!slot.begun) this.#carryOut(slot)
    if (this.#held === null) this.#client.destroySoon()
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#held = null
    this.#hooks.closed()
  }
}
