/** The keys of `bootstrap.redis`: where the app's Redis is, and where its clients are pointed at instead. */
import { z } from 'zod'
import { bothFault } from './mapping-rules.ts'
import { Misread } from './misread.ts'
import { reaches } from './reaches.ts'
import { maxDatabase, readGatewayAddress, readRedisUrl, readSentinelAddress, readSocketMode } from './redis-text.ts'
import { exactlyOne, file, leaf, named, rule, text, tlsFiles, whole } from './schema-values.ts'

const user = text({ expected: 'the name of a Redis user', pattern: /^[^\s\p{Cc}]+$/u, max: 256 })
const passwordFile = file.describe("File with the password, mode 0600, relative to the configuration file's folder.")
const userReason = "A user of Redis's ACL; without it the password is that of the default user."

/** A password alone is the default user's; a user alone cannot log in. */
function loginFault(given: { user?: unknown; passwordFile?: unknown }): Misread | null {
  if (given.user === undefined || given.passwordFile !== undefined) return null
  return new Misread('passwordFile beside user', null, 'range', 'user alone')
}

const tls = rule(
  z.strictObject({
    ...tlsFiles('Redis'),
    serverName: text({ expected: 'a host name', pattern: /^[A-Za-z0-9._-]+$/, max: 255 })
      .optional()
      .describe("The name that the server's certificate must have; without it the host that was asked for."),
  }),
  (given) => bothFault(given, 'cert', 'key'),
)

const sentinels = rule(
  z.strictObject({
    master: text({ expected: 'the name of a master', pattern: /^[^\s\p{Cc}]+$/u, max: 256 }).describe('What the sentinels call it.'),
    addresses: z
      .array(leaf(readSentinelAddress, { type: 'string' }))
      .min(1)
      .max(16)
      .describe('HOST:PORT of the sentinels; one that does not answer is left for the next.'),
    database: whole(0, maxDatabase).prefault(0).describe("The database; 0 is every client's own default."),
    user: user.optional().describe('To the sentinels, where they ask who comes.'),
    passwordFile: passwordFile.optional(),
  }),
  loginFault,
)

const gateway = rule(
  z.strictObject({
    address: leaf(readGatewayAddress, { type: 'string' }).describe(
      "Where this version's REDIS_URL points: a loopback HOST:PORT, or unix:/path. Who connects reads with baton's rights.",
    ),
    mode: leaf(readSocketMode, { enum: ['0600', '0660', '0666'] })
      .optional()
      .describe('Of a Unix socket; "0600" without it. "0660" for an app of another user in baton\'s group.'),
  }),
  ({ address, mode }) => {
    if (address.is === 'unix' || mode === undefined) return null
    return new Misread('no mode beside a TCP address', 'a mode is of a Unix socket', 'range', 'mode')
  },
)

const keys = exactlyOne(
  z.strictObject({
    url: leaf(readRedisUrl, { type: 'string', pattern: '^(rediss?|unix):' })
      .optional()
      .describe('redis://HOST:PORT/DB, rediss:// with TLS, or unix:///path?db=0; without user and password.'),
    sentinels: sentinels.optional().describe('In place of url: the master that they name is followed.'),
    user: user.optional().describe(`${userReason} It may read every cached prefix, CLIENT TRACKING and INFO.`),
    passwordFile: passwordFile.optional(),
    tls: tls.optional().describe('With rediss://, or with sentinels, to whom it then holds as well.'),
    gateways: named(gateway, 32)
      .prefault({})
      .describe('One for each version, by its name, of apps that speak to Redis. One whose version is not there yet waits for it.'),
    names: file
      .optional()
      .describe("File with names of keys, one a line, for warm.from: file; relative to the configuration file's folder."),
  }),
  ['url', 'sentinels'],
)

type Keys = z.output<typeof keys>

export const redis = rule(rule(rule(keys, loginFault), tlsFault), loopFault)

function tlsFault({ url, tls }: Keys): Misread | null {
  if (tls === undefined || url === undefined || url.isTls) return null
  const found = url.place.is === 'unix' ? 'tls beside a Unix socket' : 'tls beside a redis:// URL'
  return new Misread('a rediss:// URL with tls', null, 'range', found)
}

/** Each connection to a gateway opens one to Redis; to itself, without end. */
function loopFault({ url, gateways }: Keys): Misread | null {
  const own = url === undefined ? undefined : Object.entries(gateways).find(([, { address }]) => reaches(url.place, address))
  return own === undefined ? null : new Misread("the app's Redis", `it is the gateway of ${own[0]}`, 'range', 'a url of baton itself')
}
