/** The bootstrap half's keys: what binds, runs or reaches something. */
import { z } from 'zod'
import { eventNames } from '../telemetry/event-names.ts'
import { readAllowed } from './address-text.ts'
import { envFault } from './mapping-rules.ts'
import { etcd } from './schema-etcd.ts'
import { redis } from './schema-redis.ts'
import { bindAddress, cidr, duration, exactlyOne, file, folder, hour, leaf, named, rule, second, text, whole } from './schema-values.ts'
import { readEventName, readStack } from './text.ts'
import { readRetirementUrl, readWebhookUrl } from './web-url.ts'

const listener = (address: string, reason: string) =>
  z
    .strictObject({
      address: bindAddress.prefault(address).describe('HOST:PORT with an IP address, :PORT for every IPv4 address, or unix:/path.'),
      trustedHops: z
        .array(cidr)
        .max(100)
        .prefault([])
        .describe('CIDR blocks of proxies in front whose X-Forwarded-* and Forwarded are believed; none, since anyone can send them.'),
    })
    .prefault({})
    .describe(reason)

const command = z
  .array(text({ expected: 'a text', pattern: /./, max: 8_192 }))
  .min(1)
  .max(1_000)

const process = z.strictObject({
  command: command.describe('Program and arguments; no shell is involved.'),
  port: whole(1, 65_535).describe('Where it listens on 127.0.0.1; it is told by the environment variable PORT.'),
  env: rule(z.record(z.string(), text({ expected: 'a text', max: 32_768 })), envFault)
    .prefault({})
    .describe("Added to baton's own environment."),
  cwd: folder.prefault('.').describe("Working folder, relative to the configuration file's."),
  output: z
    .union([z.literal('inherit'), z.strictObject({ file: file.describe("Relative to the configuration file's folder.") })])
    .prefault('inherit')
    .describe("Where its output goes: baton's own, or appended to a file; never a pipe, which baton's death would break."),
  stopTimeout: duration(0, hour).prefault('10s').describe("From SIGTERM to SIGKILL; 10 s is docker's, and leaves room in a pod's 30 s."),
})

/** Those that ask an app to end; nothing that stops or kills it at once. */
const retireSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const

const bySignal = z.strictObject({
  pidFile: file.describe(
    "File with the app's pid, read at the moment of retiring; relative to the configuration file's folder. baton and the app see each other's pids and have one user, or baton is root.",
  ),
  name: z.enum(retireSignals).prefault('SIGTERM').describe('The signal; SIGTERM asks most apps to end.'),
  stopTimeout: duration(50, hour)
    .prefault('10s')
    .describe("From the signal until the process has to be gone, else the retirement has failed; docker's 10 s."),
  kill: z.boolean().prefault(false).describe('SIGKILL when stopTimeout has passed; false, since an app of others may be at work.'),
})

const byHttp = z.strictObject({
  url: leaf(readRetirementUrl, { type: 'string', pattern: '^http://' }).describe(
    'http://HOST:PORT/PATH, within allowUpstreams; 2xx is done, redirects are not followed.',
  ),
  method: z.enum(['POST', 'PUT', 'DELETE', 'GET']).prefault('POST').describe('POST, since it changes something.'),
  timeout: duration(10, 10 * 60 * second)
    .prefault('5s')
    .describe('Until the answer, else the retirement has failed; an app should answer first and end then.'),
})

const retirement = exactlyOne(
  z.strictObject({
    signal: bySignal.optional().describe('A signal to the pid of a file; done when that process is gone.'),
    http: byHttp.optional().describe('A request, without a body; done at 2xx.'),
  }),
  ['signal', 'http'],
)

const webhook = z.strictObject({
  url: leaf(readWebhookUrl, { type: 'string', pattern: '^https?://' }).describe(
    'Where events are POSTed; the certificate of https is verified, redirects are not followed.',
  ),
  secretFile: file.describe(
    "File with the secret of the signature, mode 0600, at least 16 characters, relative to the configuration file's folder; read anew for each delivery.",
  ),
  events: z
    .union([
      z.literal('all'),
      z
        .array(leaf(readEventName, { enum: eventNames }))
        .min(1)
        .max(100),
    ])
    .prefault('all')
    .describe('Which events go there, or all.'),
})

const admin = z.strictObject({
  address: bindAddress.describe('A loopback address; reach it from afar through ssh or kubectl port-forward.'),
  tokenFile: file.describe("File with the bearer token, mode 0600, relative to the configuration file's folder."),
})

const stack = leaf(readStack, { enum: ['node'] })

export const bootstrap = z
  .strictObject({
    listeners: z
      .strictObject({
        public: listener('0.0.0.0:8080', 'Where clients come in.'),
        metrics: listener('0.0.0.0:9902', 'Probes and metrics, read-only.'),
      })
      .prefault({})
      .describe('The sockets that the keeper binds.'),
    admin: admin
      .optional()
      .describe('The admin API on TCP as well; without it only on the Unix socket in the state folder, whose mode is its protection.'),
    config: z
      .strictObject({ etcd: etcd.describe('An etcd, 3.4 or later, through its JSON gateway.') })
      .optional()
      .describe('Where the dynamic half comes from. With it, the one in this file serves only until etcd has one.'),
    redis: redis
      .optional()
      .describe("The app's Redis, 7.0.10 or later, for what cache says; without it no cache. A change of it waits for a new generation."),
    state: folder.prefault('.baton').describe('State folder, relative to the working directory; BATON_STATE overrides it.'),
    allowUpstreams: z
      .array(leaf(readAllowed, { type: 'string' }))
      .max(1_000)
      .prefault(['loopback', 'unix'])
      .describe(
        'What versions may point at: loopback, unix, CIDR blocks, host names. Only what is local by default, so that who can write the dynamic half cannot reach the network through baton.',
      ),
    processes: named(process, 32).prefault({}).describe('Apps that baton starts, by name.'),
    retirements: named(retirement, 32)
      .prefault({})
      .describe('How apps that baton has not started are stopped, by name; the dynamic half can only name them.'),
    webhooks: named(webhook, 32)
      .prefault({})
      .describe(
        'Who is told of events, by name: a JSON object with id, time, event and its fields, signed in baton-signature: sha256= and the HMAC-SHA256 of baton-timestamp, a dot and the body. Retried five times; up to 256 wait, then the oldest are dropped.',
      ),
    log: z
      .strictObject({
        format: z.enum(['auto', 'json', 'pretty']).prefault('auto').describe('auto: pretty on a terminal, JSON lines elsewhere.'),
        level: z
          .enum(['debug', 'info', 'warn', 'error'])
          .prefault('info')
          .describe('The least severe line that is written; what a client did wrong is debug.'),
      })
      .prefault({})
      .describe("baton's own log, on standard output."),
    stack: stack.optional().describe('What speaks HTTP.'),
  })
  .prefault({})
  .describe('Local and trusted: what binds, runs or reaches something. Only the local file has it.')
