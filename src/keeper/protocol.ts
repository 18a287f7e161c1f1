/**
 * What the keeper and a generation say to each other over IPC. Every message carries the protocol's version `v`, so that a keeper
 * started from older code can tell a newer generation apart (DESIGN.md section 2, "The keeper").
 */
export const protocolVersion = 1

/** Of the other side, in this protocol's words; what another version of it says is not heard. */
export function isMessage<Message extends ToGeneration | ToKeeper>(message: unknown): message is Message {
  return typeof message === 'object' && message !== null && 'v' in message && message.v === protocolVersion && 'is' in message
}

/** A managed app's process, known beyond pid reuse: the same pid with another start time or boot is another process. */
export interface AppProcess {
  readonly name: string
  readonly pid: number
  /** Field 22 of /proc/PID/stat (clock ticks since boot); 0 where there is no /proc. */
  readonly startTime: number
  readonly bootId: string
  readonly port: number
}

export interface AppExit {
  readonly name: string
  readonly pid: number
  readonly code: number | null
  readonly signal: string | null
  /** A process that could not be started at all: why (ENOENT …). */
  readonly error: string | null
}

/** Where an app's output goes; never a pipe, which baton's death would break. */
export type AppOutput = { readonly is: 'inherit' } | { readonly is: 'file'; readonly path: string }

export interface AppStart {
  readonly name: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly output: AppOutput
  readonly port: number
}

export type ToGeneration =
  /** The apps that run; the first message, and again after each change. */
  | { readonly v: 1; readonly is: 'apps'; readonly apps: readonly AppProcess[] }
  | { readonly v: 1; readonly is: 'app-exit'; readonly exit: AppExit }
  | { readonly v: 1; readonly is: 'reload' }
  | { readonly v: 1; readonly is: 'stop' }
  | { readonly v: 1; readonly is: 'stop-now' }

export type ToKeeper =
  | { readonly v: 1; readonly is: 'ready' }
  /** It has begun its ordered end: by the keeper's `stop`, or by a signal of its own. */
  | { readonly v: 1; readonly is: 'leaving' }
  | { readonly v: 1; readonly is: 'app-start'; readonly app: AppStart }
  /** Apps of a keeper that died: they run on, and are this keeper's from now, as far as they can be. Answered by `apps`. */
  | { readonly v: 1; readonly is: 'app-adopt'; readonly apps: readonly AppProcess[] }
  | { readonly v: 1; readonly is: 'app-signal'; readonly name: string; readonly signal: NodeJS.Signals }

/** One socket that the keeper binds; names are `public`, `metrics`, `admin`, `admin-tcp`, and `redis-VERSION` of each gateway. */
export type ListenerSpec =
  | { readonly name: string; readonly host: string; readonly port: number }
  | { readonly name: string; readonly path: string; readonly mode: number }

/** What `baton listeners -c FILE` prints: all that the keeper needs to know of a configuration. */
export interface ListenersOutput {
  readonly v: 1
  readonly state: string
  readonly listeners: readonly ListenerSpec[]
}

/** Name → fd of the sockets that a generation was given; the value of BATON_LISTENERS is this as JSON. */
export type ListenerFds = Readonly<Record<string, number>>

/** The generation's side of the line, as its parts see it; `link.ts` makes it. */
export interface KeeperLink {
  /** The apps that run, as the keeper last said. */
  readonly apps: readonly AppProcess[]
  /** The keeper is gone: no app can be started any more, and those that run are known by pid, start time and boot id. */
  readonly lost: boolean
  readonly keeperPid: number
  /** Its outcome comes as `onApps`, or as `onExit` with `error`. */
  start(app: AppStart): void
  /** Apps that a former keeper left behind; those that still run are in `apps` when it resolves. */
  adopt(apps: readonly AppProcess[]): Promise<void>
  /** To the app's whole process group; nothing happens if it does not run. */
  signal(name: string, signal: NodeJS.Signals): void
  /** Serving: from now on a crash of this process is answered with a new generation. */
  ready(): void
  /** The ordered end has begun: a crash from now on is the end as well. */
  leaving(): void
  onApps: (apps: readonly AppProcess[]) => void
  onExit: (exit: AppExit) => void
  onReload: () => void
  onStop: () => void
  onStopNow: () => void
  onLost: () => void
}
