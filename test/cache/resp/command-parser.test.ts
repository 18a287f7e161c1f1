import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Command, CommandParser, commandLimits } from '../../../src/cache/resp/command-parser.ts'
import { encodeCommand } from '../../../src/cache/resp/encode.ts'
import { bytewise, cut, cuts } from './cut.ts'
import { parsed, Recorder } from './recorded.ts'

const small = {
  ...commandLimits,
  wholeBytes: 60,
  keptArgumentBytes: 10,
  keptBytes: 350,
  maxInlineBytes: 40,
  maxBulkBytes: 1_000,
  maxArguments: 20,
}
const latin1 = (text: string) => Buffer.from(text, 'latin1')
const argument = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
const args = fc.array(argument, { minLength: 1, maxLength: 8 })

/** In one chunk. */
function given(text: string, limits = commandLimits) {
  return parsed(limits, [latin1(text)])
}

/** Of whole commands their arguments; else what was given. */
function argsOf(text: string): unknown[] {
  return given(text).map((each) => ('args' in each ? each.args : each))
}

function errorOf(text: string, limits = commandLimits): unknown {
  return given(text, limits).at(-1)
}

describe('commands out of a client’s bytes', () => {
  test('are the same wherever the chunks are cut, whole ones and those in parts', () => {
    fc.assert(
      fc.property(fc.array(args, { maxLength: 6 }), cuts, (commands, places) => {
        const bytes = Buffer.concat(commands.map(encodeCommand))
        const expected = commands.map((command) => {
          const wire = encodeCommand(command).toString('latin1')
          return { wire, args: command.map((arg) => arg.toString('latin1')), whole: wire.length <= small.wholeBytes }
        })
        const result = parsed(small, cut(bytes, places))
        assert.deepEqual(
          result.map((each) => 'bytes' in each && each.bytes),
          expected.map(({ wire }) => wire),
        )
        for (const [index, each] of result.entries()) {
          assert.equal('name' in each, expected[index]?.whole)
          if ('name' in each) assert.deepEqual(each.args, expected[index]?.args)
        }
        assert.deepEqual(result, parsed(small, [bytes]))
        assert.deepEqual(result, parsed(small, bytewise(bytes)))
      }),
    )
  })

  test('and so is what any other bytes are, errors included', () => {
    const piece = fc.constantFrom(
      '*',
      '$',
      '1',
      '2',
      '0',
      '-',
      '\r\n',
      '\n',
      '\r',
      ' ',
      '"',
      "'",
      '\\',
      'x4a',
      'GET',
      '\0',
      '*1\r\n$1\r\nx\r\n',
      '*2\r\n$4\r\nECHO\r\n$70\r\n',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), cuts, (pieces, places) => {
        const bytes = latin1(pieces.join(''))
        const whole = parsed(small, [bytes])
        assert.deepEqual(parsed(small, cut(bytes, places)), whole)
        assert.deepEqual(parsed(small, bytewise(bytes)), whole)
      }),
      { numRuns: 1_000 },
    )
  })

  test('have their name in upper case, of ASCII letters alone', () => {
    const names = ['get', 'GeT', 'Ttl', 'hgetall', 'unheard', 'json.get', 'str\xdf', 'w\xe4r', '{et', '\x07et', 'smembers', 'x'.repeat(300)]
    const text = names.map((name) => encodeCommand([latin1(name)]).toString('latin1')).join('')
    assert.deepEqual(
      given(text).map((each) => 'name' in each && each.name),
      ['GET', 'GET', 'TTL', 'HGETALL', 'UNHEARD', 'JSON.GET', 'STR\xdf', 'W\xe4R', '{ET', '\x07ET', 'SMEMBERS', 'X'.repeat(300)],
    )
  })

  test('of one chunk are slices of it and no copies, and those that were cut never change afterwards', () => {
    const commands: Command[] = []
    const receiver = Object.assign(new Recorder(), { command: (command: Command) => commands.push(command) > 0 })
    const parser = new CommandParser(commandLimits, receiver)
    const chunk = unpooled(encodeCommand(['SET', 'k', 'value']))
    parser.push(chunk)
    const [whole] = commands
    assert.deepEqual([whole?.bytes.buffer, whole?.args[2]?.buffer], [chunk.buffer, chunk.buffer])
    for (const byte of bytewise(Buffer.concat([chunk, encodeCommand(['SET', 'other', 'thing'])]))) parser.push(byte)
    assert.deepEqual(commands[1]?.args, [Buffer.from('SET'), Buffer.from('k'), Buffer.from('value')])
    assert.deepEqual(commands[1]?.bytes, chunk)
  })

  test('stop where the receiver says so, and go on with the rest, after a command in parts too', () => {
    for (const last of ['x', 'x'.repeat(100)]) {
      const recorder = new Recorder()
      const stopping = Object.assign(recorder, {
        command: (command: Command) => !Recorder.prototype.command.call(recorder, command),
        ended: (known: readonly (Buffer | null)[]) => !Recorder.prototype.ended.call(recorder, known),
      })
      const parser = new CommandParser(small, stopping)
      let rest: Buffer | null = Buffer.concat([
        encodeCommand(['MONITOR']),
        encodeCommand(['SET', 'k', last]),
        Buffer.from('\r\nGET k\r\nPI'),
      ])
      const rests: (string | undefined)[] = []
      while (rest !== null) {
        rest = parser.push(rest)
        rests.push(rest?.toString())
      }
      assert.deepEqual(rests, [`${encodeCommand(['SET', 'k', last])}\r\nGET k\r\nPI`, '\r\nGET k\r\nPI', 'PI', undefined])
      assert.equal(parser.push(Buffer.from('NG\r\n')), null)
      assert.deepEqual(
        recorder.given.map((each) => 'args' in each && each.args.at(0)),
        ['MONITOR', 'SET', 'GET', 'PING'],
      )
    }
  })
})

describe('a command of more than wholeBytes', () => {
  test('is given as long as it is read: nothing waits for its end', () => {
    const recorder = new Recorder()
    const parser = new CommandParser(small, recorder)
    parser.push(Buffer.from('*3\r\n$3\r\nSET\r\n'))
    assert.equal(recorder.parts.length, 0)
    parser.push(Buffer.from('$1\r\nk\r\n$900\r\nabc'))
    parser.push(Buffer.from('def'))
    assert.deepEqual(recorder.parts.map(String), ['*3\r\n$3\r\nSET\r\n', '$1\r\nk\r\n$900\r\nabc', 'def'])
    assert.deepEqual(recorder.given, [])
  })

  test('tells the arguments before the long one when it begins, and all at the end, null for each too big to be kept', () => {
    const [command] = given(encodeCommand(['MSET', 'k', 'x'.repeat(100), 'longer than ten', 'v', 'l', 'w']).toString(), small)
    assert.deepEqual(command && 'began' in command && [command.began, command.args], [
      ['MSET', 'k'],
      ['MSET', 'k', null, null, 'v', null, null], // all together would be more than keptBytes
    ])
  })

  test('keeps copies, which hold no chunk, and as much of each command as of the one before', () => {
    const recorder = new Recorder()
    const all: (Buffer | null)[] = []
    const receiver = Object.assign(recorder, { ended: (args: readonly (Buffer | null)[]) => all.push(...args) > 0 })
    const parser = new CommandParser(small, receiver)
    const chunk = unpooled(encodeCommand(['x'.repeat(100), 'k', 'v']))
    for (let round = 0; round < 5; round++) parser.push(chunk)
    assert.deepEqual(all.map(String), Array(5).fill(['null', 'k', 'v']).flat())
    assert.ok(all.every((arg) => arg?.buffer !== chunk.buffer))
  })

  test('is given whole up to that very size', () => {
    const text = (size: number) => encodeCommand(['SET', 'k', 'x'.repeat(size)]).toString()
    const fits = small.wholeBytes - text(10).length + 10
    assert.deepEqual(
      [fits, fits + 1].map((size) => given(text(size), small).map((each) => 'name' in each)),
      [[true], [false]],
    )
  })

  test('of many small arguments is one too', () => {
    const [command] = given(encodeCommand(Array.from({ length: 12 }, () => 'a')).toString(), small)
    assert.deepEqual(command && 'began' in command && [command.began, command.args], [
      [...Array(3).fill('a'), ...Array(4).fill(null)],
      [...Array(3).fill('a'), ...Array(9).fill(null)],
    ])
  })
})

describe('inline commands', () => {
  test('follow Redis’s quoting rules', () => {
    assert.deepEqual(argsOf('SET k v\r\nset\t k  v \nGET "a b"\r\n'), [
      ['SET', 'k', 'v'],
      ['set', 'k', 'v'],
      ['GET', 'a b'],
    ])
    assert.deepEqual(argsOf(`${String.raw`x "\x41\xfFg\n\r\t\b\a\"\\\q" '\n\'' "" a"b c"`}\r\n`), [
      ['x', 'A\xffg\n\r\t\b\x07"\\q', String.raw`\n'`, '', 'ab c'],
    ])
    assert.deepEqual(argsOf(`${String.raw`x "\xg1" \x41`}\n`), [['x', 'xg1', String.raw`\x41`]])
  })

  test('with unbalanced quotes are an error', () => {
    const error = { error: 'Protocol error: unbalanced quotes in request' }
    for (const line of ['"', "'", 'GET "a', "GET 'a", 'GET "a"b', "GET 'a'b", 'GET "a\\"', "GET 'a\\'", '""""'])
      assert.deepEqual(given(`${line}\r\n`), [error])
  })

  test('that are empty, and counts of zero or less, are nothing', () => {
    assert.deepEqual(argsOf('\r\n\n  \t\r\n*0\r\n*-1\r\n*-17\r\n*1\r\n$4\r\nPING\r\n'), [['PING']])
    assert.deepEqual(parsed(commandLimits, bytewise(Buffer.from('\r\n*0\r\n*-1\r\n'))), [])
  })

  test('are given whole with all their bytes, and refused when longer than allowed', () => {
    const line = `GET ${'k'.repeat(36)}`
    assert.deepEqual(given(`${line}\n`, small), [{ name: 'GET', args: ['GET', 'k'.repeat(36)], bytes: `${line}\n` }])
    const error = { error: 'Protocol error: too big inline request' }
    assert.deepEqual(given(`${line}k\n`, small), [error])
    assert.deepEqual(given(`${line}k`, small), [error])
    assert.deepEqual(parsed(small, bytewise(Buffer.from(`${line}k`))), [error])
    assert.deepEqual(given('GET a\0b\r\n'), [error])
  })
})

describe('what is no command', () => {
  const command = '*1\r\n$4\r\nPING\r\n'

  test('ends the stream with Redis’s words, after the commands before it', () => {
    for (const count of ['', 'x', '+1', '01', '00', '-', '-0', '1.', ' 1', '1 ', '--1', '21', '99999999999999999999', '1\n', '1\r'])
      assert.deepEqual(
        given(`${command}*${count}\r\n${command}`, small).slice(1),
        [{ error: 'Protocol error: invalid multibulk length' }],
        count,
      )
    for (const length of ['', 'x', '-1', '01', '1001', '99999999999999999999'])
      assert.deepEqual(errorOf(`*2\r\n$1\r\nx\r\n$${length}\r\n`, small), { error: 'Protocol error: invalid bulk length' }, length)
    assert.deepEqual(errorOf('*1\r\nGET\r\n'), { error: "Protocol error: expected '$', got 'G'" })
    assert.deepEqual(errorOf('*1\r\n\r\n'), { error: "Protocol error: expected '$', got ' '" })
  })

  test('has nothing allocated for what it only announces', () => {
    const before = allocated()
    given('*1048576\r\n$536870912\r\n')
    assert.ok(allocated() - before < 1_000_000)
    assert.deepEqual(errorOf('*1048577\r\n'), { error: 'Protocol error: invalid multibulk length' })
  })
})

/** In memory that nothing else shares. */
function unpooled(bytes: Buffer): Buffer {
  const own = Buffer.alloc(bytes.length)
  bytes.copy(own)
  return own
}

function allocated(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
