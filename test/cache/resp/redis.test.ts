/** The codec beside the Redis of this machine: what it takes for a command, and what it answers. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { commandLimits } from '../../../src/cache/resp/command-parser.ts'
import {
  encodeAbsent,
  encodeBulk,
  encodeCommand,
  encodeHash,
  encodeInteger,
  encodeValues,
  type Protocol,
} from '../../../src/cache/resp/encode.ts'
import { ReplyScanner } from '../../../src/cache/resp/reply-scanner.ts'
import { needs } from '../../kit/packages.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { answersTo, lastAnswersTo } from './conversation.ts'
import { bytewise } from './cut.ts'
import { parsed } from './recorded.ts'

describe('beside a real Redis', { skip: needs('redis-server') }, () => {
  let redis: Redis
  before(async () => {
    redis = await startRedis({ conf: ['enable-debug-command yes'] })
  })
  after(() => redis[Symbol.asyncDispose]())

  const answers = (protocol: Protocol, ...commands: readonly (readonly (string | Buffer)[])[]) =>
    answersTo(redis.port, protocol, Buffer.concat(commands.map((command) => encodeCommand(command))))

  /** A script that says what it was given: Redis's own parse. */
  const tell = "local out = '' for _, arg in ipairs(ARGV) do out = out .. #arg .. ':' .. arg .. ' ' end return out"

  const quoted = fc.string({
    unit: fc.constantFrom('a', 'b', ' ', '"', "'", '\\', '\\x4f', '\\n', '\t', '\v', '\r', '\xff', 'x', '1'),
    maxLength: 12,
  })
  const line = fc.tuple(quoted, fc.constantFrom('\r\n', '\n')).map(
    ([text, end]) =>
      (hash: string) =>
        `EVALSHA ${hash} 0 ${text}${end}`,
  )
  const bulks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 4 }).map((args) => (hash: string) => {
    const command = encodeCommand(['evalsha', hash, '0', ...args.map((arg) => Buffer.from(arg))])
    return command.toString('latin1')
  })
  const nothing = fc.constantFrom('\r\n', '\n', '  \t\r\n', '*0\r\n', '*-1\r\n', '*-12\r\n')
  const wrong = fc.constantFrom(
    ...['*\r\n', '*x\r\n', '*01\r\n', '*+1\r\n', '*-0\r\n', '* 1\r\n', '*99999999999\r\n', '*1\r\n$\r\n', '*1\r\n$-1\r\n', '*1\r\n$01\r\n'],
    ...[
      '*1\r\n$536870913\r\n',
      '*1\r\nGET\r\n',
      '*1\r\n\r\n',
      '*2\r\n$3\r\nGET\r\n:1\r\n',
      'GET "a\r\n',
      "'a'b\r\n",
      '*1\r\n$99999999999999999999\r\n',
    ],
  )

  test('what it takes for a command, for nothing and for an error is what the parser does', async () => {
    const hash = (await answers(2, ['SCRIPT', 'LOAD', tell])).split('\r\n')[1] ?? ''
    const piece = fc.oneof({ weight: 3, arbitrary: fc.oneof(line, bulks) }, { weight: 1, arbitrary: nothing.map((text) => () => text) })
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.option(wrong), async (pieces, end) => {
        const bytes = Buffer.from(pieces.map((text) => text(hash)).join('') + (end ?? ''), 'latin1')
        const given = parsed(commandLimits, [bytes])
        const expected = given.map((each) => {
          if ('error' in each) return `-ERR ${each.error}\r\n`
          const text = each.args.slice(3).map((arg) => `${arg?.length}:${arg} `)
          return encodeBulk(Buffer.from(text.join(''), 'latin1')).toString('latin1')
        })
        const refused = given.some((each) => 'error' in each)
        assert.equal(await (refused ? lastAnswersTo(redis.port, bytes) : answersTo(redis.port, 2, bytes)), expected.join(''))
      }),
      { numRuns: 300 },
    )
  })

  test('where its answers end is where the scanner says, in RESP2 and RESP3', async () => {
    const types = ['string', 'integer', 'double', 'null', 'array', 'set', 'map', 'attrib', 'push', 'verbatim', 'true', 'false', 'bignum']
    const commands = [
      ...types.map((type) => ['DEBUG', 'PROTOCOL', type]),
      ...[
        ['PING'],
        ['NOSUCH'],
        ['GET', 'none'],
        ['COMMAND'],
        ['INFO'],
        ['HELLO'],
        ['SLOWLOG', 'GET'],
        ['EVAL', "return {1,{2,{'a',false}}}", '0'],
      ],
      ...[['BLPOP', 'none', '0.001'], ['LOLWUT'], ['UNSUBSCRIBE', 'c']],
    ]
    for (const protocol of [2, 3] as const) {
      const expected: string[] = []
      // in RESP2 a connection that subscribes can ask for no mark
      for (const command of protocol === 2 ? commands : [...commands, ['SUBSCRIBE', 'c']]) {
        const answer = await answers(protocol, command)
        // a push is a frame beside the answer, unless it is the answer
        const frames = framesOf(answer, true)
        assert.equal(frames.filter((frame) => !frame.startsWith('>') || frame.includes('subscribe')).length, 1, `${command}: ${frames}`)
        expected.push(...frames)
      }
      assert.deepEqual(framesOf(expected.join(''), false), expected)
    }
  })

  test('what it answers to the reads is what the encoder does', async () => {
    const [k, field] = [Buffer.from('value'), Buffer.from('field')]
    await answers(2, ['SET', 'k', k], ['HSET', 'h', field, k])
    for (const protocol of [2, 3] as const) {
      const cases: [string[], Buffer][] = [
        [['GET', 'k'], encodeBulk(k)],
        [['GET', 'none'], encodeAbsent(protocol)],
        [['MGET', 'k', 'none', 'k'], encodeValues([k, null, k], protocol)],
        [['HMGET', 'h', 'field', 'none'], encodeValues([k, null], protocol)],
        [['HMGET', 'none', 'field'], encodeValues([null], protocol)],
        [['HGETALL', 'h'], encodeHash([field, k], protocol)],
        [['HGETALL', 'none'], encodeHash([], protocol)],
        [['EXISTS', 'k', 'k', 'none'], encodeInteger(2)],
        [['TTL', 'none'], encodeInteger(-2)],
        [['PTTL', 'k'], encodeInteger(-1)],
      ]
      for (const [command, answer] of cases) assert.equal(await answers(protocol, command), answer.toString(), `${command}`)
    }
  })
})

function framesOf(text: string, inBytes: boolean): string[] {
  const scanner = new ReplyScanner()
  const bytes = Buffer.from(text, 'latin1')
  const frames: string[] = []
  let open = ''
  for (const chunk of inBytes ? bytewise(bytes) : [bytes]) {
    for (let at = 0; at < chunk.length; ) {
      const end = scanner.scan(chunk, at)
      const to = end === -1 ? chunk.length : end
      open += chunk.toString('latin1', at, to)
      if (end !== -1) {
        frames.push(open)
        open = ''
      }
      at = to
    }
  }
  assert.equal(open, '')
  return frames
}
