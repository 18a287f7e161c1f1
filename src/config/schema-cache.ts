/** The keys of `cache`: what baton keeps of the app's Redis, how it is warmed before a version serves, and how apps are written. */
import { z } from 'zod'
import { readKeyText } from './key-text.ts'
import { duration, exactlyOne, hour, KiB, leaf, MiB, second, share, size, sizeOrOff, whole } from './schema-values.ts'

const day = 24 * hour
const GiB = 1_024 * MiB
const keyJson = { type: 'string' }

const prefix = leaf(
  (value) => readKeyText(value, 'what keys begin with, such as catalogue:', 'for every key write everyKey: true in place of prefixes'),
  keyJson,
)
const beginning = leaf((value) => readKeyText(value, 'what names begin with, such as v1:'), keyJson)
const pattern = leaf((value) => readKeyText(value, 'a pattern such as catalogue:*'), keyJson)

const absent = z
  .strictObject({
    memory: sizeOrOff(KiB, GiB)
      .prefault('1MiB')
      .describe('A budget of their own, so that random names evict nothing; off keeps none of them.'),
    maxAge: duration(second, day).prefault('30s').describe('Shorter than that of values: what is missing is often about to be made.'),
  })
  .prefault({})
  .describe('Keys that Redis does not have.')

const refresh = z
  .strictObject({
    every: duration(1, 60 * second)
      .prefault('100ms')
      .describe('One key at most once in this time: with twenty gateways each write of a hot key would cost Redis twenty reads.'),
    perSecond: whole(0, 1_000_000)
      .prefault(2_000)
      .describe('All keys together; what is above is dropped and read again when asked for. 0 drops all of them.'),
  })
  .prefault({})
  .describe('A key that was written, and read since its last refresh, is fetched again.')

const source = z.union([
  z.enum(['other-version', 'hot-names', 'file']),
  z.strictObject({ scan: pattern.describe('The keys that match, by SCAN: it finds keys, not hot ones, and walks the whole database.') }),
])

const target = z
  .strictObject({
    keys: whole(1, 100_000_000).prefault(100_000).describe('So many keys; ten seconds at the usual rate.'),
    bytes: size(KiB, 64 * GiB)
      .optional()
      .describe('So much of memory.'),
    predicted: share
      .optional()
      .describe('The share of reads that the keys would answer, by what the hot names are read; without hot names it is not known.'),
  })
  .prefault({})
  .describe('Warm at whichever is reached first, or when no source names more.')

const warm = z
  .strictObject({
    from: z
      .array(source)
      .max(32)
      .optional()
      .describe(
        'Where names come from, in this order: other-version, what the version that serves holds, without a read of Redis; hot-names, what gateways share; file, bootstrap.redis.names; or a scan. Without it the first two. None: nothing is warmed.',
      ),
    batch: whole(1, 4_096).prefault(64).describe("Keys in one round trip; with more, other clients' p99 grows."),
    rate: whole(1, 1_000_000).prefault(10_000).describe("Keys a second; so many double other clients' p99 of 0.3 ms, and more do worse."),
    deadline: duration(100, hour).prefault('30s').describe('Then the upgrade goes on, or back: see require.'),
    target,
    require: share
      .optional()
      .describe(
        'Of the target, or of what the sources name if that is less: less than this share warm at the deadline is a rollback. Without it the upgrade goes on, with a warning.',
      ),
    rename: z
      .array(
        z.strictObject({
          from: beginning.describe('What the name begins with.'),
          to: beginning.describe('What it begins with instead, within the cached prefixes.'),
        }),
      )
      .max(64)
      .prefault([])
      .describe('For a version with other names: which key to fetch in place of a named one. Values are always those of Redis.'),
  })
  .prefault({})
  .describe('What is read before a version serves.')

const hotNames = z
  .union([
    z.literal('off'),
    z.strictObject({
      key: leaf((value) => readKeyText(value, 'what keys begin with, such as baton:hot:'), keyJson)
        .prefault('baton:hot:')
        .describe('What their keys in Redis begin with; outside of the cached prefixes. The user may write there.'),
      every: duration(second, hour).prefault('30s').describe('How often a gateway writes its own.'),
      ttl: duration(second, 168 * hour)
        .prefault('1h')
        .describe('How long they outlive a gateway; longer than the pause of a deployment.'),
      top: whole(1, 20_000).prefault(1_000).describe('How many a gateway shares.'),
    }),
  ])
  .prefault({})
  .describe('The names that are read most, shared among gateways in Redis, so that a new one knows what to warm. Or off.')

const push = z
  .strictObject({
    lease: duration(50, 60 * second)
      .prefault('1s')
      .describe(
        'An app answers from its cache only so long after its last acknowledgement; its values are as old as staleness and lease at most.',
      ),
    batch: whole(1, 256).prefault(256).describe('Operations in one batch, which is 1 MiB at most.'),
    timeout: duration(10, 60 * second)
      .prefault('1s')
      .describe('Of a batch; after it the app is written anew.'),
  })
  .prefault({})
  .describe('How versions with push are written.')

export const cache = exactlyOne(
  z.strictObject({
    prefixes: z
      .array(prefix)
      .min(1)
      .max(64)
      .optional()
      .describe(
        'What the keys that are kept begin with; none may begin with another. Locks, tokens and counters that several apps share belong outside. \\xHH is a byte that is no text.',
      ),
    everyKey: z.literal(true).optional().describe('In place of prefixes: every key of the database is kept.'),
    tracking: z
      .enum(['broadcast', 'keys'])
      .prefault('broadcast')
      .describe(
        'How Redis tells what was written: broadcast, each write under the prefixes; keys, only of keys that were read, which costs Redis memory for each.',
      ),
    staleness: duration(250, 60 * second)
      .prefault('1s')
      .describe('No value is answered that was not current within this time, whatever stalls; normally it is below a millisecond.'),
    consistency: z
      .enum(['session', 'causal'])
      .prefault('session')
      .describe(
        'session: a client sees its own writes. causal: also what another client told it of, for a round trip with each reply from Redis.',
      ),
    memory: size(MiB, 64 * GiB)
      .prefault('64MiB')
      .describe("Of each version's view; what both hold is there once."),
    maxValue: size(1, 64 * MiB)
      .prefault('64KiB')
      .describe('A larger value is passed through and not kept.'),
    maxFields: whole(1, 1_000_000).prefault(512).describe('A hash with more is kept by the fields that were asked for.'),
    maxAge: duration(second, day)
      .prefault('5m')
      .describe('Then a key is read anew, for what nothing tells of, such as a revoked permission.'),
    absent,
    refresh,
    warm,
    hotNames,
    push,
  }),
  ['prefixes', 'everyKey'],
).describe("What baton keeps of the app's Redis for its versions; it needs bootstrap.redis.")

export type CacheDocument = z.output<typeof cache>
