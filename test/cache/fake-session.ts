/** A session whose replies and tellings come when the test says so. */
import type { Reply, Session, SessionHooks, Words } from '../../src/cache/session.ts'

interface Waiting {
  readonly commands: readonly Words[]
  readonly done: (replies: readonly Reply[]) => void
  readonly failed: (error: Error) => void
}

export const masterInfo = Buffer.from('role:master\r\ncmdstat_get:calls=1\r\n')

export class FakeSession implements Session {
  readonly server = { version: '7.0.15', runId: 'run', address: 'here', user: 'default', evictionPolicy: null, commands: [] }
  readonly hooks: SessionHooks
  /** Reads without a reply, the first first; heartbeats apart. */
  readonly reads: Waiting[] = []
  readonly pings: { readonly done: () => void; readonly failed: (error: Error) => void }[] = []
  /** What a heartbeat is answered; null: nothing yet. */
  info: Reply = masterInfo
  /** Whether a PING is answered at once. */
  hears = true
  closed = false

  constructor(hooks: SessionHooks) {
    this.hooks = hooks
  }

  read(commands: readonly Words[]): Promise<readonly Reply[]> {
    if (this.closed) return Promise.reject(new Error('closed'))
    if (commands[0]?.[0] === 'INFO' && this.info !== null) return Promise.resolve([this.info])
    return new Promise((done, failed) => this.reads.push({ commands, done, failed }))
  }

  aside(commands: readonly Words[]): Promise<readonly Reply[]> {
    return Promise.resolve(commands.map(() => 'OK' as unknown as Reply))
  }

  heard(): Promise<void> {
    if (this.closed) return Promise.reject(new Error('closed'))
    if (this.hears) return Promise.resolve()
    return new Promise((done, failed) => this.pings.push({ done, failed }))
  }

  /** The first read without a reply gets it. */
  answer(...replies: readonly Reply[]): void {
    this.reads.shift()?.done(replies)
  }

  tell(...keys: readonly string[]): void {
    this.hooks.invalidated(keys.map((key) => Buffer.from(key)))
  }

  tellAll(): void {
    this.hooks.invalidated(null)
  }

  lose(reason: string): void {
    this.close()
    this.hooks.lost(reason)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    for (const { failed } of [...this.reads.splice(0), ...this.pings.splice(0)]) failed(new Error('closed'))
  }
}
