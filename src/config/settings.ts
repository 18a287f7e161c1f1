/**
 * A configuration after parsing: every default filled in, every unit resolved (durations in ms, sizes in bytes), nothing checked across keys yet.
 * `schema.ts` is the table of keys, defaults, units and reasons that produces these shapes.
 */
import type { RouteSpec, StickySpec, VersionName } from '../routing/route.ts'
import type { EventName } from '../telemetry/event-names.ts'

/** Where a listener binds. */
export type BindAddress =
  | { readonly is: 'tcp'; readonly host: string; readonly port: number }
  | { readonly is: 'unix'; readonly path: string }

export interface ListenerSettings {
  readonly address: BindAddress
  /** CIDR blocks of proxies before baton whose forwarding headers are believed. */
  readonly trustedHops: readonly string[]
}

export interface AdminTcpSettings {
  readonly address: BindAddress
  /** File with the bearer token; must be 0600. */
  readonly tokenFile: string
}

export interface ProcessSettings {
  readonly command: readonly string[]
  readonly port: number
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly output: { readonly is: 'inherit' } | { readonly is: 'file'; readonly path: string }
  /** After SIGTERM, until SIGKILL. */
  readonly stopTimeoutMs: number
}

/** Where baton calls something by itself. Never in a log: a path may hold a token. */
export interface WebUrl {
  readonly scheme: 'http' | 'https'
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
  /** With its query. */
  readonly path: string
}

/** How an app that baton has not started is stopped. */
export type RetirementSettings =
  | {
      readonly is: 'signal'
      /** Absolute. */
      readonly pidFile: string
      readonly signal: NodeJS.Signals
      readonly stopTimeoutMs: number
      /** SIGKILL when `stopTimeoutMs` has passed. */
      readonly kill: boolean
    }
  | { readonly is: 'http'; readonly url: WebUrl; readonly method: string; readonly timeoutMs: number }

export interface WebhookSettings {
  readonly url: WebUrl
  /** Absolute; must be 0600. Its content is read for each delivery. */
  readonly secretFile: string
  readonly events: 'all' | readonly EventName[]
}

/** Of a connection that baton opens. Files, absolute; null is the system's authorities, or no certificate of our own. */
export interface ClientTlsSettings {
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
}

/** An etcd that holds the dynamic half, and what the instances of one app share. */
export interface EtcdSettings {
  readonly endpoints: readonly string[]
  /** Begins with `/`, ends without. */
  readonly prefix: string
  /** `passwordFile` is absolute and must be 0600. */
  readonly login: { readonly user: string; readonly passwordFile: string } | null
  readonly tls: ClientTlsSettings | null
  /** Null: made of the host's name and the public port. */
  readonly instance: string | null
}

/** `passwordFile` is absolute and must be 0600. Without a user it is the password of Redis's default user. */
export interface RedisLogin {
  readonly user: string | null
  readonly passwordFile: string
}

export interface HostPort {
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
}

/** Whom to ask for the Redis: itself, or the sentinels that know which of theirs is master. */
export type RedisPlace =
  | ({ readonly is: 'tcp' } & HostPort)
  | { readonly is: 'unix'; readonly path: string }
  | {
      readonly is: 'sentinels'
      readonly master: string
      readonly addresses: readonly HostPort[]
      /** To the sentinels themselves. */
      readonly login: RedisLogin | null
    }

/** Where a version's Redis client is pointed at. */
export interface GatewaySettings {
  /** A loopback one, or a Unix socket. */
  readonly address: BindAddress
  /** Of a Unix socket: 0o600, 0o660 or 0o666. */
  readonly mode: number
}

/** The app's Redis. */
export interface RedisSettings {
  readonly place: RedisPlace
  readonly database: number
  readonly login: RedisLogin | null
  /** Of sentinels too; null is without TLS. `serverName` null: the certificate is for the host that was asked for. */
  readonly tls: (ClientTlsSettings & { readonly serverName: string | null }) | null
  /** By version, which need not be there. */
  readonly gateways: Readonly<Record<VersionName, GatewaySettings>>
  /** File with the names of keys, one a line; absolute. */
  readonly names: string | null
}

/** Local and trusted: what binds, runs or reaches something. From the local file only. */
export interface Bootstrap {
  readonly listeners: { readonly public: ListenerSettings; readonly metrics: ListenerSettings }
  readonly admin: AdminTcpSettings | null
  /** Where the dynamic half comes from; null is the file itself. */
  readonly config: EtcdSettings | null
  readonly redis: RedisSettings | null
  /** Folder, absolute. */
  readonly state: string
  /** `loopback`, `unix`, a CIDR block, or a host name. Link-local addresses never. */
  readonly allowUpstreams: readonly string[]
  readonly processes: Readonly<Record<string, ProcessSettings>>
  readonly retirements: Readonly<Record<string, RetirementSettings>>
  readonly webhooks: Readonly<Record<string, WebhookSettings>>
  readonly log: { readonly format: 'auto' | 'json' | 'pretty'; readonly level: 'debug' | 'info' | 'warn' | 'error' }
}

/** What of a bootstrap half decides which dynamic halves it takes; a bootstrap half is one. */
export interface Limits {
  readonly listeners: { readonly public: { readonly address: BindAddress }; readonly metrics: { readonly address: BindAddress } }
  readonly admin: { readonly address: BindAddress } | null
  readonly redis: {
    readonly gateways: Readonly<Record<VersionName, { readonly address: BindAddress }>>
    readonly names: string | null
  } | null
  readonly state: string
  readonly allowUpstreams: readonly string[]
  readonly processes: Readonly<Record<string, { readonly port: number }>>
  readonly retirements: Readonly<
    Record<string, { readonly is: 'signal' } | { readonly is: 'http'; readonly url: { readonly host: string; readonly port: number } }>
  >
}

/** Where a version's app is. */
export type EndpointSettings =
  | { readonly is: 'tcp'; readonly host: string; readonly port: number }
  | { readonly is: 'unix'; readonly path: string }
  | { readonly is: 'process'; readonly process: string }

export type ProbeSettings = { readonly is: 'tcp' } | { readonly is: 'http'; readonly path: string; readonly host: string | null }

export interface HealthSettings {
  readonly probe: ProbeSettings
  /** Between probes of a version whose state is settled. */
  readonly intervalMs: number
  /** Between probes while it is starting, or while a change of state is pending. */
  readonly fastIntervalMs: number
  readonly timeoutMs: number
  /** Successes in a row that make a version ready. */
  readonly successThreshold: number
  /** Failures in a row that make a ready version not-ready. */
  readonly failureThreshold: number
  /** Exchanges in a row that the app failed to answer, that make a version not-ready unless it is the last one serving; 0 is off. */
  readonly passiveFailures: number
}

export interface VersionSettings {
  readonly endpoint: EndpointSettings
  readonly health: HealthSettings
  /** Of `bootstrap.retirements`; null: whoever started the app stops it. */
  readonly retire: string | null
  /** Path at the endpoint where the app takes what its cache shall hold; null: it has none. */
  readonly push: string | null
}

export interface TimeoutSettings {
  /** TCP or Unix connection to the app. */
  readonly connectMs: number
  /** From the request's last byte sent to the response's head. */
  readonly headMs: number
  /** Without a byte in either direction, once the response has begun or while the client's body is awaited. */
  readonly idleMs: number
  /** Whole exchange, upgraded ones and event streams excepted; 0 is off. */
  readonly exchangeMs: number
  /** A client's idle kept-alive connection. */
  readonly keepAliveMs: number
  /** From a connection's first byte to the end of a request head. */
  readonly requestHeadMs: number
  /** An idle connection to the app; stay below the app's own limit, so that it never closes one under a request. */
  readonly upstreamKeepAliveMs: number
}

export interface LimitSettings {
  readonly headerBytes: number
  readonly headerCount: number
  readonly uriBytes: number
  /** Request body; 0 is no limit. */
  readonly bodyBytes: number
  /** In flight at once, over all versions. */
  readonly exchanges: number
  /** Waiting for a place among `exchanges`. */
  readonly queue: number
  readonly queueTimeoutMs: number
  /** Client connections. */
  readonly connections: number
  /** Connections to one version. */
  readonly upstreamConnections: number
}

export interface RetrySettings {
  /** Retries allowed, as a share of recent exchanges (0.2 = 20 %). */
  readonly budget: number
  /** Retries always allowed, per 10 s. */
  readonly min: number
  /** A request body up to this size is kept for a second attempt. */
  readonly replayBytes: number
}

export interface DrainSettings {
  /** After SIGTERM: readiness fails, serving goes on, until the endpoints have heard. */
  readonly endpointDelayMs: number
  /** Then exchanges in flight have this long; what is left is cut. */
  readonly deadlineMs: number
  /** Of a version: a request may run at least this long, however quick others were, but never past the deadline. */
  readonly graceMs: number
  /** Of a version: its endless responses, and its upgraded connections, have this long to go; never past the deadline. */
  readonly streamsMs: number
  readonly tunnelsMs: number
  /** Kept-alive connections that have been idle since the drain began are closed after this. */
  readonly idleMs: number
}

/** As `PlanStep` of `rollout/plan.ts`, which this folder may not import; test/config/rollout.test.ts ties them. */
export interface PlanStepSettings {
  readonly is: 'header-only' | 'weight' | 'bake'
  /** Percent of stable's traffic: 0 of header-only, 100 of bake. */
  readonly weight: number
  readonly forMs: number
  readonly minRequests: number
  readonly manual: boolean
}

/** As `Plan` of `rollout/plan.ts`. */
export interface PlanSettings {
  readonly name: string
  readonly strategy: 'shift' | 'exclusive'
  /** Of `shift` at least one, with weights that grow, and bake last; none of `exclusive`. */
  readonly steps: readonly PlanStepSettings[]
  readonly readyTimeoutMs: number
  readonly retireAfterMs: number
}

/** As `Policy` of `rollout/policy.ts`, where each key is explained. */
export interface AnalysisSettings {
  readonly enabled: boolean
  readonly windows: { readonly candidateMs: number; readonly stableMs: number }
  readonly graceMs: number
  readonly errorRate: {
    readonly required: boolean
    readonly dryRun: boolean
    readonly minRequests: number
    readonly factor: number
    readonly floor: number
  }
  readonly latency: { readonly required: boolean; readonly dryRun: boolean; readonly minRequests: number; readonly addMs: number }
  readonly cpu: { readonly required: boolean; readonly dryRun: boolean; readonly share: number; readonly forMs: number }
  readonly degrade: { readonly forMs: number; readonly max: number }
  readonly escalateMs: number
  readonly hardStops: { readonly errorRate: number; readonly notReadyMs: number; readonly exit: boolean }
  readonly onNoData: 'wait' | 'promote' | 'rollback'
}

export interface RolloutSettings {
  /** The name of the plan that an upgrade follows if it names none; it is there. */
  readonly plan: string
  /** By name, the built-in ones too. */
  readonly plans: Readonly<Record<string, PlanSettings>>
  readonly analysis: AnalysisSettings
}

/** Bytes of a key, one character each (`latin1`): keys need not be text. */
export type KeyBytes = string

/** Where the names of the keys to warm come from. */
export type WarmSource =
  | { readonly is: 'other-version' }
  | { readonly is: 'hot-names' }
  /** `bootstrap.redis.names`, which is there. */
  | { readonly is: 'file' }
  /** A pattern as of Redis's SCAN. */
  | { readonly is: 'scan'; readonly pattern: KeyBytes }

export interface WarmSettings {
  /** In this order; none: nothing is warmed. */
  readonly from: readonly WarmSource[]
  /** Keys in one round trip. */
  readonly batch: number
  /** Keys a second. */
  readonly rate: number
  readonly deadlineMs: number
  /** Warm at whichever is reached first; null does not count. `predicted` is a share of the reads (0.9 = 90 %). */
  readonly target: { readonly keys: number; readonly bytes: number | null; readonly predicted: number | null }
  /** The share of the target that has to be warm at the deadline, else the upgrade is rolled back; null: it goes on, with a warning. */
  readonly require: number | null
  /** Of names alone: a key that begins with `from` is fetched as `to` and the rest. The first that fits holds. */
  readonly rename: readonly { readonly from: KeyBytes; readonly to: KeyBytes }[]
}

/** What baton keeps of the app's Redis, and how it is warmed and written. */
export interface CacheSettings {
  /** Of the keys that are kept, none of which begins with another; one that is empty, alone, is every key. */
  readonly prefixes: readonly KeyBytes[]
  readonly tracking: 'broadcast' | 'keys'
  /** S of the design: no value is answered that was not current within this time. */
  readonly stalenessMs: number
  /** `causal`: a barrier before every reply that was passed through. */
  readonly consistency: 'session' | 'causal'
  /** Of each version's view. */
  readonly memoryBytes: number
  readonly maxValueBytes: number
  /** A hash with more is kept by the fields that were asked for. */
  readonly maxFields: number
  readonly maxAgeMs: number
  /** Keys that Redis does not have; 0 bytes: none is kept. */
  readonly absent: { readonly memoryBytes: number; readonly maxAgeMs: number }
  /** Of keys that were written and are read: one at most once per `everyMs`, all together `perSecond`; 0: dropped instead. */
  readonly refresh: { readonly everyMs: number; readonly perSecond: number }
  readonly warm: WarmSettings
  /** Names that gateways share in Redis, under keys that begin with `key`; null is off. */
  readonly hotNames: { readonly key: KeyBytes; readonly everyMs: number; readonly ttlMs: number; readonly top: number } | null
  /** `batch` in operations. */
  readonly push: { readonly leaseMs: number; readonly batch: number; readonly timeoutMs: number }
}

export type AccessLogSettings = { readonly is: 'off' } | { readonly is: 'on' } | { readonly is: 'sample'; readonly rate: number }

/** The half that can be swapped at any time. */
export interface Dynamic {
  readonly versions: Readonly<Record<VersionName, VersionSettings>>
  readonly stable: VersionName
  readonly candidate: VersionName | null
  readonly routes: readonly RouteSpec[]
  readonly sticky: StickySpec | null
  readonly timeouts: TimeoutSettings
  readonly limits: LimitSettings
  readonly retry: RetrySettings
  readonly drain: DrainSettings
  readonly rollout: RolloutSettings
  /** Only beside `Bootstrap.redis`. */
  readonly cache: CacheSettings | null
  readonly accessLog: AccessLogSettings
  /** `x-served-by` on responses. */
  readonly servedBy: boolean
}
