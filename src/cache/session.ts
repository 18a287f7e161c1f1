/**
 * One life of the tracked source: a connection D that reads and a connection S that hears what changed, living and dying together.
 * What is read through D is tracked by Redis; each later change of it is told on S (CACHE.md sections 2 and 3).
 */

export type Reply = Buffer | number | null | Error | readonly Reply[]
/** The command's words. */
export type Words = readonly (string | Buffer | number)[]

export interface SessionHooks {
  /** Keys that may have changed, in every database; null: all of them. Called in the order in which Redis told it. */
  invalidated(keys: readonly Buffer[] | null): void
  /** Called once, unless `close` was called first: nothing is tracked any more. */
  lost(reason: string): void
}

export interface ServerFacts {
  /** `7.0.15` */
  readonly version: string
  readonly runId: string
  /** `127.0.0.1:6379`, or the socket's path. */
  readonly address: string
  /** Whose rights the source reads with. */
  readonly user: string
  /** `noeviction`, `allkeys-lru`, …; null where it may not be asked for. */
  readonly evictionPolicy: string | null
  /** The reply to COMMAND. */
  readonly commands: Reply
}

export interface Session {
  readonly server: ServerFacts
  /** Pipelined on D in one piece. One reply a command: an Error where Redis answered with one. @throws when the session is lost */
  read(commands: readonly Words[]): Promise<readonly Reply[]>
  /** On a third connection, which is not tracked: for what must not register a key, or is baton's own writing. @throws when it is lost */
  aside(commands: readonly Words[]): Promise<readonly Reply[]>
  /** A PING on S: when it resolves, all that Redis had told before it was answered has been heard. @throws when the session is lost */
  heard(): Promise<void>
  close(): void
}

/** A session that tracks, has passed its self-test, and holds nothing yet. @throws BatonError where the server cannot be a source */
export type OpenSession = (hooks: SessionHooks, signal: AbortSignal) => Promise<Session>
