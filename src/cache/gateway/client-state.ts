/**
 * What a client's connection is at, as far as it decides whether a read may be answered locally: whose rights, which database, which
 * protocol, and whether it is inside of a transaction. What a command changes of it holds from its successful reply on; until then it is
 * `changing`, and nothing is answered locally.
 */
import type { Protocol } from '../resp/encode.ts'
import { both, type Effect, nothing } from './command-table.ts'

type Words = readonly (Buffer | null)[]
/** Called at the reply. */
export type Settle = (ok: boolean) => void

export class ClientState {
  protocol: Protocol = 2
  /** Null: not known. */
  user: string | null = null
  database = 0
  #changing = 0
  /** What the commands of the open transaction will have changed. */
  #transaction: Effect | null = null
  #watching = false
  /** A transaction selected, or logged in: it may have come to its end or not. */
  #unsure = false

  /** Whether a read may be answered from what was read with this user's rights from this database. */
  isPlain(user: string, database: number): boolean {
    const isFree = this.#changing === 0 && this.#transaction === null && !this.#watching && !this.#unsure
    return isFree && this.user === user && this.database === database
  }

  /** A command that is passed on with this effect. What has to be done at its reply, if anything, and what it may have changed by then. */
  passing(name: string, args: Words, effect: Effect): { readonly effect: Effect; readonly settle: Settle | null } {
    const queued = this.#transaction
    if (queued !== null) {
      if (name === 'EXEC' || name === 'DISCARD') return this.#endTransaction(name, queued)
      this.#transaction = both(queued, effect)
      if (name !== 'RESET') {
        this.#unsure ||= name === 'SELECT' || name === 'AUTH' || name === 'HELLO'
        return { effect, settle: null }
      }
    }
    return { effect, settle: this.#settleOf(name, args) }
  }

  /** Whatever EXEC is answered, the transaction is over; a DISCARD that is refused has done nothing. */
  #endTransaction(name: 'EXEC' | 'DISCARD', queued: Effect): { readonly effect: Effect; readonly settle: Settle } {
    this.#transaction = null
    this.#watching = false
    const settle = this.#change((ok) => {
      if (!ok && name === 'DISCARD') this.#transaction ??= queued
    })
    return { effect: name === 'EXEC' ? queued : nothing, settle }
  }

  #settleOf(name: string, args: Words): Settle | null {
    switch (name) {
      case 'MULTI':
        this.#transaction ??= nothing
        return null
      case 'WATCH':
        this.#watching = true
        return null
      case 'UNWATCH':
        this.#watching = false
        return this.#change((ok) => {
          if (!ok) this.#watching = true
        })
      case 'SELECT':
        return this.#change((ok) => {
          if (ok) this.database = Number(textOf(args[1]))
        })
      case 'AUTH': {
        const user = args.length > 2 ? textOf(args[1]) : 'default'
        return this.#change((ok) => {
          if (ok) this.user = user
        })
      }
      case 'HELLO':
        return this.#hello(args)
      case 'RESET':
        this.#transaction = null
        this.#watching = false
        return this.#change(() => this.#reset())
      default:
        return null
    }
  }

  /** `HELLO [protocol [AUTH user password] [SETNAME name]]` */
  #hello(args: Words): Settle {
    const protocol = args.length < 2 ? null : textOf(args[1])
    const auth = args.findIndex((arg, at) => at > 1 && textOf(arg).toUpperCase() === 'AUTH')
    const user = auth === -1 ? null : textOf(args[auth + 1])
    return this.#change((ok) => {
      if (!ok) return
      if (protocol !== null) this.protocol = protocol === '3' ? 3 : 2
      if (user !== null) this.user = user
    })
  }

  #reset(): void {
    this.protocol = 2
    this.database = 0
    this.user = null
  }

  #change(settle: (ok: boolean) => void): Settle {
    this.#changing += 1
    return (ok) => {
      this.#changing -= 1
      settle(ok)
    }
  }
}

function textOf(arg: Buffer | null | undefined): string {
  return arg?.toString('latin1') ?? ''
}
