/** What each command of a real Redis may change, by the table that is made of its COMMAND: compared with what Redis says of the same words. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { both, CommandTable, type Effect, everything, nothing, unknown, unknownCommands } from '../../../src/cache/gateway/command-table.ts'
import type { Reply } from '../../../src/cache/session.ts'
import { needs } from '../../kit/packages.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { RespClient, RespError, type Value } from '../../kit/resp-client.ts'

/** Of each kind of command and of each way in which keys stand in one. */
const samples = `
SET k v | SET k v EX 10 NX GET | SETEX k 10 v | PSETEX k 10 v | SETNX k v | GETSET k v | GETDEL k | GETEX k EX 10 | APPEND k v | SETRANGE k 0 v
INCR k | INCRBY k 5 | INCRBYFLOAT k 1.5 | DECR k | DECRBY k 2 | MSET a 1 b 2 c 3 | MSETNX a 1 b 2 | SETBIT k 1 1 | BITOP AND d a b | BITFIELD k SET u8 0 1
BITFIELD k GET u8 0 | DEL a b c | UNLINK a b | EXPIRE k 10 | PEXPIRE k 10 NX | EXPIREAT k 10 | PEXPIREAT k 10 | PERSIST k | RENAME a b | RENAMENX a b
COPY a b DB 1 REPLACE | MOVE k 1 | RESTORE k 0 x REPLACE | TOUCH a b
HSET h f v g w | HSETNX h f v | HMSET h f v | HDEL h f g | HINCRBY h f 1 | HINCRBYFLOAT h f 1.5
LPUSH l a b | RPUSH l a | LPUSHX l a | RPUSHX l a | LPOP l | RPOP l 2 | LMPOP 2 a b LEFT COUNT 1 | LINSERT l BEFORE a b | LSET l 0 a | LREM l 0 a
LTRIM l 0 1 | RPOPLPUSH a b | LMOVE a b LEFT RIGHT | BLPOP a b 0 | BRPOP a b c 0 | BRPOPLPUSH a b 0 | BLMOVE a b LEFT RIGHT 0 | BLMPOP 0 2 a b LEFT
SADD s a | SREM s a | SPOP s | SMOVE a b m | SDIFFSTORE d a b | SINTERSTORE d a b | SUNIONSTORE d a b c
ZADD z 1 a | ZINCRBY z 1 a | ZREM z a | ZPOPMIN z | ZPOPMAX z 2 | BZPOPMIN a b 0 | BZPOPMAX a 0 | ZMPOP 2 a b MIN | BZMPOP 0 2 a b MAX
ZRANGESTORE d a 0 1 | ZUNIONSTORE d 2 a b | ZINTERSTORE d 3 a b c WEIGHTS 1 2 3 | ZDIFFSTORE d 2 a b
ZREMRANGEBYRANK z 0 1 | ZREMRANGEBYSCORE z 0 1 | ZREMRANGEBYLEX z [a [b
GEOADD g 1 1 a | GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 1 m ASC | GEORADIUS g 1 1 1 m STORE d | GEORADIUS g 1 1 1 m ASC STOREDIST d
GEORADIUSBYMEMBER g a 1 m STORE d | GEORADIUS g 1 1 1 m
PFADD p a | PFMERGE d a b | PFCOUNT a b
XADD x * f v | XDEL x 1-1 | XTRIM x MAXLEN 1 | XSETID x 1-1 | XGROUP CREATE x g $ MKSTREAM | XGROUP DESTROY x g | XGROUP SETID x g 0
XGROUP CREATECONSUMER x g c | XGROUP DELCONSUMER x g c | XACK x g 1-1 | XCLAIM x g c 0 1-1 | XAUTOCLAIM x g c 0 0
XREADGROUP GROUP g c COUNT 1 STREAMS a b > > | XREADGROUP GROUP STREAMS c STREAMS a > | SORT l STORE d | SORT l | SORT l BY w* GET # STORE d
`
  .split(/[|\n]/)
  .map((line) => line.trim().split(' '))
  .filter(([name]) => name !== '')

const flagsOf = (command: Value): readonly string[] => (Array.isArray(command) && Array.isArray(command[2]) ? command[2].map(String) : [])

describe('the command table of a real Redis', { skip: needs('redis-server') }, () => {
  let redis: Redis
  let client: RespClient
  let all: readonly Value[]
  let table: CommandTable

  before(async () => {
    redis = await startRedis()
    client = await RespClient.connect(redis.port)
    const reply = await client.call('COMMAND')
    assert.ok(Array.isArray(reply))
    all = reply
    table = CommandTable.of(asSessionReply(reply))
  })

  after(async () => {
    client[Symbol.dispose]()
    await redis[Symbol.asyncDispose]()
  })

  const effectOf = (words: readonly string[]) => {
    const name = (words[0] ?? '').toUpperCase()
    return table.effectOf(
      name,
      words.map((word) => Buffer.from(word)),
    )
  }

  test('has for every sample all keys that Redis says it writes, or takes them for unknown', async () => {
    for (const words of samples) {
      const written = await keysWritten(client, words)
      const effect = effectOf(words)
      if (effect.is === 'unknown') continue
      if (effect.is === 'nothing') {
        assert.deepEqual(written, [], words.join(' '))
        continue
      }
      assert.equal(effect.is, 'keys', words.join(' '))
      const found = new Set(effect.is === 'keys' ? effect.keys : [])
      for (const key of written) assert.ok(found.has(key), `${words.join(' ')}: ${key} is not in ${[...found].join(' ')}`)
    }
  })

  test('knows the keys of all that are not marked as incomplete', () => {
    const found = samples.filter((words) => effectOf(words).is === 'unknown').map(([name]) => name)
    assert.deepEqual([...new Set(found)], ['SORT'])
  })

  test('takes a sample of each command that writes', () => {
    const sampled = new Set(samples.map(([name]) => name))
    const missing = all.filter((command) => flagsOf(command).includes('write')).map(nameOf)
    // whole databases, other servers, or keys that nobody can tell
    const others = ['FLUSHALL', 'FLUSHDB', 'SWAPDB', 'MIGRATE', 'RESTORE-ASKING', 'FUNCTION', 'PFDEBUG']
    assert.deepEqual(
      missing.filter((name) => !sampled.has(name) && !others.includes(name)),
      [],
    )
  })

  test('lets no command pass as harmless that Redis does not call one', () => {
    // neither write nor read by its flags: known one by one, else unknown
    const unflagged = all.filter((command) => !flagsOf(command).some((flag) => flag === 'write' || flag === 'readonly')).map(nameOf)
    const harmless = unflagged.filter((name) => effectOf([name]).is === 'nothing')
    for (const name of ['EVAL', 'EVALSHA', 'FCALL', 'EXEC']) assert.ok(!harmless.includes(name), name)
    for (const name of harmless) assert.ok(expectedHarmless.has(name), name)
  })

  test('takes what only reads for nothing, and PFCOUNT for a write: it may change what it counts', () => {
    for (const words of [
      'GET k',
      'HGETALL h',
      'SORT_RO l',
      'EVAL_RO x 0',
      'FCALL_RO f 0',
      'ZRANGE z 0 1',
      'XREAD STREAMS a 0',
      'TOUCH k',
      'SCAN 0',
    ])
      assert.deepEqual(effectOf(words.split(' ')), nothing, words)
    assert.deepEqual(effectOf(['PFCOUNT', 'a', 'b']), { is: 'keys', keys: ['a', 'b'] })
  })

  test('takes what empties for everything, and scripts and what it does not know for unknown', () => {
    for (const words of ['FLUSHALL', 'FLUSHDB ASYNC', 'SWAPDB 0 1', 'DEBUG RELOAD'])
      assert.deepEqual(effectOf(words.split(' ')), everything, words)
    for (const words of [
      'EVAL x 1 k',
      'EVALSHA x 0',
      'FCALL f 0',
      'FUNCTION RESTORE x',
      'MIGRATE h 1 k 0 10',
      'MODULE LOAD x',
      'NEW.COMMAND k',
    ])
      assert.deepEqual(effectOf(words.split(' ')), unknown, words)
  })

  test('takes a key that was too long to be kept for unknown', () => {
    assert.deepEqual(table.effectOf('SET', [Buffer.from('SET'), null, Buffer.from('v')]), unknown)
    assert.deepEqual(table.effectOf('SET', [Buffer.from('SET'), Buffer.from('k'), null]), { is: 'keys', keys: ['k'] })
  })

  test('of no server yet takes what is surely harmless for it, and all else for unknown', () => {
    assert.deepEqual(unknownCommands.effectOf('PING', []), nothing)
    assert.deepEqual(unknownCommands.effectOf('GET', [Buffer.from('GET'), Buffer.from('k')]), unknown)
    assert.deepEqual(unknownCommands.effectOf('FLUSHALL', []), everything)
  })
})

describe('two effects', () => {
  const keys = (...names: string[]): Effect => ({ is: 'keys', keys: names })

  test('are the keys of both, or what is more', () => {
    assert.deepEqual(both(keys('a'), keys('b')), keys('a', 'b'))
    assert.deepEqual(both(nothing, keys('b')), keys('b'))
    assert.deepEqual(both(keys('a'), unknown), unknown)
    assert.deepEqual(both(everything, unknown), everything)
    assert.deepEqual(both(keys(...Array.from({ length: 1_024 }, String)), keys('b')), unknown)
  })
})

const expectedHarmless = new Set(
  (
    'PING ECHO SELECT AUTH HELLO CLIENT COMMAND INFO TIME LASTSAVE MULTI DISCARD WATCH UNWATCH PUBLISH SPUBLISH PUBSUB WAIT QUIT RESET ASKING ' +
    'READONLY READWRITE CONFIG ROLE LATENCY MEMORY OBJECT SLOWLOG ACL SAVE BGSAVE BGREWRITEAOF SCRIPT'
  ).split(' '),
)

function nameOf(command: Value): string {
  return Array.isArray(command) ? String(command[0]).toUpperCase() : ''
}

/** Those that Redis itself finds in the words, and says may be changed. */
async function keysWritten(client: RespClient, words: readonly string[]): Promise<readonly string[]> {
  const reply = await client.call('COMMAND', 'GETKEYSANDFLAGS', ...words)
  if (reply instanceof RespError) throw new Error(`${words.join(' ')}: ${reply.line}`)
  if (!Array.isArray(reply)) return []
  return reply.flatMap((found) => {
    if (!Array.isArray(found)) return []
    const [key, flags] = found
    const isWritten = Array.isArray(flags) && flags.some((flag) => /^(OW|RW|RM|insert|update|delete)$/i.test(String(flag)))
    return isWritten ? [String(key)] : []
  })
}

/** As the source's connection gives it: texts as buffers. */
function asSessionReply(value: Value): Reply {
  if (Array.isArray(value)) return value.map(asSessionReply)
  return typeof value === 'string' ? Buffer.from(value) : (value as Reply)
}
