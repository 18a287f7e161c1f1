/**
 * The table of keys: form, default, unit and reason of each. The reasons are what the JSON Schema and the reference say.
 * It holds no rule across keys (`cross-check.ts`) and turns nothing round (`settle.ts`); it and its parts are all that knows zod.
 */
import { z } from 'zod'
import { readSocketPath, readUpstreamUrl } from './address-text.ts'
import { probeFault, repeatedHeader, retireFault, stickyFault } from './mapping-rules.ts'
import { Misread } from './misread.ts'
import { maxWeight, readSample, readWeight } from './quantity.ts'
import { analysis } from './schema-analysis.ts'
import { bootstrap } from './schema-bootstrap.ts'
import { cache } from './schema-cache.ts'
import { plan, rollout, type step } from './schema-rollout.ts'
import {
  cidr,
  duration,
  durationOrOff,
  exactlyOne,
  headerName,
  hour,
  type Issue,
  KiB,
  leaf,
  MiB,
  method,
  name,
  named,
  oneOrMany,
  path,
  regex,
  rule,
  second,
  setName,
  setValue,
  share,
  size,
  sizeOrOff,
  target,
  text,
  whole,
} from './schema-values.ts'
import { namePattern, readPresent, readRetire, tokenPattern } from './text.ts'

export type { Issue } from './schema-values.ts'

// ---- versions and health ----

const healthKeys = {
  http: path.describe('GET this path; 2xx and 3xx are healthy.'),
  tcp: z.literal(true).describe('A connection that opens is healthy.'),
  host: text({ expected: 'a host name', pattern: /^[A-Za-z0-9._:[\]-]+$/, max: 255 }).describe(
    "Host header of the probe; without it the endpoint's own.",
  ),
  interval: duration(50, hour).describe('Between probes of a settled version.'),
  fastInterval: duration(20, hour).describe(
    'Between probes while a version starts or its state is in doubt, so that a change takes less than a second.',
  ),
  timeout: duration(10, 10 * 60 * second).describe('A slower answer is a failure.'),
  successThreshold: whole(1, 100).describe('Successes in a row until ready; 2, since one can be luck.'),
  failureThreshold: whole(1, 100).describe('Failures in a row until not-ready; 2, since one can be chance.'),
  passiveFailures: whole(0, 10_000).describe(
    'Unanswered exchanges in a row until not-ready; 0 is off. The last serving version is never ejected.',
  ),
}

const health = rule(
  z.strictObject({
    ...healthKeys,
    http: healthKeys.http.optional(),
    tcp: healthKeys.tcp.optional(),
    host: healthKeys.host.optional(),
    interval: healthKeys.interval.prefault('5s'),
    fastInterval: healthKeys.fastInterval.prefault('200ms'),
    timeout: healthKeys.timeout.prefault('5s'),
    successThreshold: healthKeys.successThreshold.prefault(2),
    failureThreshold: healthKeys.failureThreshold.prefault(2),
    passiveFailures: healthKeys.passiveFailures.prefault(5),
  }),
  probeFault,
)
  .prefault({})
  .describe('How baton finds out whether a version can serve; a TCP connection if nothing is said.')

const ownHealth = rule(z.strictObject(healthKeys).partial(), probeFault).describe('What differs from the global health for this version.')

const endpointKeys = ['process', 'url', 'socket'] as const

const versionKeys = exactlyOne(
  z.strictObject({
    process: name.optional().describe('A process of bootstrap.processes.'),
    url: leaf(readUpstreamUrl, { type: 'string', pattern: '^http://' })
      .optional()
      .describe('http://HOST:PORT; a name is resolved again and followed.'),
    socket: leaf(readSocketPath, { type: 'string', pattern: '^/' }).optional().describe('Absolute path of a Unix socket.'),
    health: ownHealth.optional(),
    retire: leaf(readRetire, { type: 'string', pattern: namePattern.source })
      .optional()
      .describe(
        'How an app that baton has not started is stopped by `baton retire` and at the end of an upgrade: one of bootstrap.retirements by its name. none, also without it: whoever started the app stops it.',
      ),
    push: path
      .optional()
      .describe(
        "Path at this version's endpoint where the app takes batches for a cache of its own, over HTTP; for an app whose Redis client is not pointed at a gateway.",
      ),
  }),
  endpointKeys,
)
const version = rule(versionKeys, retireFault)

// ---- routing ----

const string = text({ expected: 'a text', max: 4_096 })
const textKeys = ['exact', 'prefix', 'suffix', 'contains', 'regex', 'oneOf', 'present'] as const
const present = leaf(readPresent, { const: true })

const textMatch = z.union([
  string,
  exactlyOne(
    z.strictObject({
      exact: string.optional(),
      prefix: string.optional(),
      suffix: string.optional(),
      contains: string.optional(),
      regex: regex.optional().describe('In linear time: no look-around, no back-references; it must match the whole value.'),
      oneOf: z.array(string).min(1).max(1_000).optional(),
      present: present.optional(),
      invert: z.boolean().optional().describe('Turns the outcome round; an absent value then matches.'),
    }),
    textKeys,
  ),
])

const pathMatch = z.union([
  path,
  exactlyOne(
    z.strictObject({
      exact: path.optional(),
      prefix: path.optional().describe('By segment: /api matches /api and /api/x, not /apix.'),
      regex: regex.optional(),
    }),
    ['exact', 'prefix', 'regex'],
  ),
])

const matchKeys = z
  .strictObject({
    headers: rule(z.record(headerName, textMatch), repeatedHeader).describe('Of a repeated header any value may match.'),
    path: pathMatch.describe('A text is exact.'),
    method: oneOrMany(method, 32).describe('One or several.'),
    host: textMatch.describe('Without its port; case does not matter.'),
    query: z.record(z.string(), textMatch).describe('Query parameters, decoded.'),
    cookies: z
      .record(z.string().regex(tokenPattern, { error: 'a cookie name (RFC 6265 token)' }), textMatch)
      .describe('Cookies of the request.'),
    client: oneOrMany(cidr, 1_000).describe("CIDR blocks of the client's address, as trusted hops tell it."),
  })
  .partial()

const match = rule(matchKeys, (given) =>
  Object.keys(given).length === 0 ? new Misread('at least one condition', 'leave match out for every request', 'range', 'none') : null,
)

const weight = leaf(readWeight, { type: 'number', exclusiveMinimum: 0, maximum: maxWeight })

const split = rule(z.record(z.string(), weight), (given) => {
  const count = Object.keys(given).length
  return count >= 1 && count <= 32 ? null : new Misread('from 1 to 32 targets', null, 'range', `${count}`)
})

const route = exactlyOne(
  z.strictObject({
    name: name.describe('Label of its metrics.'),
    match: z
      .union([match, z.array(match).min(1).max(100)])
      .optional()
      .describe('All conditions of one must hold; of a list one is enough; without it every request.'),
    to: target.optional().describe('A version, stable or candidate.'),
    split: split.optional().describe('Target → weight; the shares are weight over the sum.'),
    fallback: target.optional().describe('Where it goes while the target does not serve; without it 503.'),
    set: rule(z.record(setName, setValue), repeatedHeader)
      .optional()
      .describe("Request headers that the app gets in place of the client's."),
    only: z
      .strictObject({ cidrs: z.array(cidr).min(1).max(1_000) })
      .optional()
      .describe('To other clients the route is not there.'),
  }),
  ['to', 'split'],
)

const sticky = rule(
  z.strictObject({
    cookie: text({ expected: 'a cookie name', pattern: tokenPattern }).optional().describe("A cookie whose value tells the user's bucket."),
    or: z
      .strictObject({ header: text({ expected: 'a header name', pattern: tokenPattern }) })
      .optional()
      .describe('A header in its place.'),
  }),
  stickyFault,
)

// ---- the rest ----

const timeouts = z
  .strictObject({
    connect: duration(1, 10 * 60 * second)
      .prefault('5s')
      .describe("To open a connection to the app; longer than one lost SYN's repeat (1 s, then 2 s)."),
    head: duration(1, 24 * hour)
      .prefault('60s')
      .describe("From the request's last byte to the response's head; nginx's and HAProxy's usual minute."),
    idle: duration(1, 24 * hour)
      .prefault('60s')
      .describe('Without a byte either way; an event stream should send a comment more often.'),
    exchange: durationOrOff(1, 24 * hour)
      .prefault('off')
      .describe('The whole exchange, streams excepted; off, since idle and head already end what is stuck.'),
    keepAlive: duration(0, 24 * hour)
      .prefault('75s')
      .describe("A client's idle connection; longer than the 60 s of common load balancers, so that they never meet a closed one."),
    requestHead: duration(1, hour).prefault('10s').describe("From a connection's first byte to the end of a head; bounds slow senders."),
    upstreamKeepAlive: duration(0, 24 * hour)
      .prefault('4s')
      .describe(
        "An idle connection to the app; below Node's 5 s, the shortest usual limit, so that the app never closes one under a request.",
      ),
  })
  .prefault({})
  .describe('How long baton waits.')

const limits = z
  .strictObject({
    headerBytes: size(KiB, MiB).prefault('32KiB').describe('A request head; 4 times the usual 8 KiB of servers, for large cookies.'),
    headerCount: whole(10, 10_000).prefault(200).describe('Fields in a head; browsers send about 20.'),
    uriBytes: size(64, MiB).prefault('16KiB').describe('The request target; twice what RFC 9110 asks to be supported.'),
    bodyBytes: sizeOrOff(1, 1024 * 1024 * MiB)
      .prefault('off')
      .describe('A request body; off, since baton streams and keeps none.'),
    exchanges: whole(1, 1_000_000).prefault(10_000).describe('In flight at once; beyond them the queue.'),
    queue: whole(0, 1_000_000).prefault(1_000).describe('Waiting for a place; beyond them 503.'),
    queueTimeout: duration(0, hour).prefault('30s').describe('Longest wait in the queue; clients seldom wait longer.'),
    connections: whole(1, 1_000_000).prefault(20_000).describe('Client connections; twice the exchanges, for idle ones.'),
    upstreamConnections: whole(1, 65_535).prefault(1_024).describe('Connections to one version; well below the ports of one address pair.'),
  })
  .prefault({})
  .describe('What baton holds at most.')

const retry = z
  .strictObject({
    budget: share.prefault('20%').describe('Retries as a share of recent exchanges, so that they cannot multiply an overload.'),
    min: whole(0, 10_000).prefault(3).describe('Always allowed, per 10 s, for a service with little traffic.'),
    replayBytes: size(0, 16 * MiB)
      .prefault('64KiB')
      .describe('A body up to this size is kept for a second attempt.'),
  })
  .prefault({})
  .describe('A second attempt for what can safely be sent twice.')

const drain = z
  .strictObject({
    endpointDelay: duration(0, 10 * 60 * second)
      .prefault('0s')
      .describe('After SIGTERM serving goes on this long, until load balancers have heard; the chart sets 5s.'),
    deadline: duration(0, 24 * hour)
      .prefault('30s')
      .describe("Then exchanges have this long, and what is left is cut; a pod's usual grace period."),
    grace: duration(0, hour)
      .prefault('10s')
      .describe("A version's requests may run at least this long, within the deadline; docker's patience."),
    streams: duration(0, 24 * hour)
      .optional()
      .describe("A version's endless responses, such as server-sent events, have this long to go once asked; the deadline without it."),
    websockets: duration(0, 24 * hour)
      .optional()
      .describe("A version's WebSockets and other upgraded connections, likewise."),
    idle: duration(0, hour)
      .prefault('5s')
      .describe('Kept-alive connections idle this long are closed; time for a client between two requests.'),
  })
  .prefault({})
  .describe('How a version, and baton itself, stops.')

const sample = leaf(readSample, { type: 'number', exclusiveMinimum: 0, maximum: 1 })

const dynamicKeys = {
  versions: rule(named(version, 32), (given) => (Object.keys(given).length > 0 ? null : new Misread('at least one version'))).describe(
    'The builds of the app behind baton, by name.',
  ),
  health,
  stable: name.describe('The version that takes what no route claims.'),
  candidate: name.optional().describe('The version under trial; the same as stable is none.'),
  routes: z.array(route).max(1_000).prefault([]).describe('In order; the first match wins, and the rest goes to stable.'),
  sticky: sticky.optional().describe('What keeps a user on one side of a split; without it each request draws.'),
  timeouts,
  limits,
  retry,
  drain,
  rollout,
  cache: cache.optional(),
  accessLog: z
    .union([z.enum(['off', 'on']), z.strictObject({ sample })])
    .prefault('off')
    .describe('One line an exchange, or a sample of them; off, since metrics count them all.'),
  servedBy: z.boolean().prefault(true).describe('x-served-by with the version on responses.'),
}

const dynamicDocument = z.strictObject(dynamicKeys)
const fileDocument = z.strictObject({ bootstrap, ...dynamicKeys })

export type DynamicDocument = z.output<typeof dynamicDocument>
export type BootstrapDocument = z.output<typeof bootstrap>
export type VersionDocument = z.output<typeof version>
export type RouteDocument = z.output<typeof route>
export type HealthDocument = z.output<typeof health>
export type RolloutDocument = z.output<typeof rollout>
export type PlanDocument = z.output<typeof plan>
export type StepDocument = z.output<typeof step>

/** The parts that can be read on their own when the whole cannot. */
export const parts = {
  file: fileDocument,
  dynamic: dynamicDocument,
  bootstrap,
  version,
  route,
  health,
  sticky,
  name,
  plan,
  analysis,
  cache,
} as const
export type Part = keyof typeof parts

export type Shape<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly Issue[] }

/** Every default filled in and every unit resolved, or all that is wrong with the form. */
export function readShape<P extends Part>(part: P, value: unknown): Shape<z.output<(typeof parts)[P]>> {
  const result = parts[part].safeParse(value)
  if (result.success) return { ok: true, value: result.data as z.output<(typeof parts)[P]> }
  return { ok: false, issues: result.error.issues }
}

/** What an editor needs of a whole file; also where the keys of each mapping can be looked up. */
export function jsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(fileDocument, { io: 'input', reused: 'inline' })
}
