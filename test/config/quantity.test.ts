import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Misread } from '../../src/config/misread.ts'
import { formatDuration, formatSize, readDuration, readPercent, readSample, readSize, readWeight } from '../../src/config/quantity.ts'

const day = { min: 0, max: 86_400_000 }
const any = { min: 0, max: Number.MAX_SAFE_INTEGER }

function misread(result: unknown): Misread {
  assert.ok(result instanceof Misread, `read as ${result}`)
  return result
}

describe('durations', () => {
  const right: readonly [string, number][] = [
    ['200ms', 200],
    ['5s', 5_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['1.5s', 1_500],
    ['0s', 0],
    ['0.001s', 1],
  ]
  for (const [text, ms] of right) test(`${text} is ${ms} ms`, () => assert.equal(readDuration(text, day), ms))

  for (const value of [
    '5',
    '5 s',
    '-5s',
    '+5s',
    's',
    '',
    '5S',
    '5sec',
    '1d',
    '1e3s',
    '.5s',
    '5.s',
    '１s',
    null,
    undefined,
    true,
    {},
    [],
    '0.5ms',
  ]) {
    test(`${JSON.stringify(value)} is refused`, () => void misread(readDuration(value, day)))
  }

  test('a bare number is asked for its unit', () => {
    assert.equal(misread(readDuration(5, day)).hint, 'give it a unit: 5ms or 5s')
    assert.equal(misread(readDuration('5', day)).hint, 'give it a unit: 5ms or 5s')
  })

  test('out of range says the range', () => {
    assert.equal(misread(readDuration('25h', { min: 50, max: 3_600_000 })).expected, 'a duration from 50ms to 1h')
    assert.equal(misread(readDuration('49ms', { min: 50, max: 3_600_000 })).expected, 'a duration from 50ms to 1h')
  })

  test('what is formatted is read back, and whatever is read is a whole number within the range', () => {
    fc.assert(fc.property(fc.nat({ max: day.max }), (ms) => readDuration(formatDuration(ms), day) === ms))
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,8}(ms|s|m|h)$/), fc.anything()), (value) => {
        const read = readDuration(value, day)
        return read instanceof Misread || (Number.isInteger(read) && read >= day.min && read <= day.max)
      }),
    )
  })
})

describe('sizes', () => {
  const right: readonly [string | number, number][] = [
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['1GiB', 1_073_741_824],
    ['1.5KiB', 1_536],
    ['10B', 10],
    [4096, 4096],
    [0, 0],
  ]
  for (const [text, bytes] of right) test(`${text} is ${bytes} bytes`, () => assert.equal(readSize(text, any), bytes))

  for (const value of ['64', '64kb', '64 KiB', '-1B', -1, 1.5, '0.3B', Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, null, {}]) {
    test(`${JSON.stringify(value)} (${value}) is refused`, () => void misread(readSize(value, any)))
  }

  test('a unit that is nearly right is put right', () => {
    assert.equal(misread(readSize('64KB', any)).hint, 'write 64KiB')
    assert.equal(misread(readSize('1m', any)).hint, 'write 1MiB')
  })

  test('what is formatted is read back, and whatever is read is a whole number', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => readSize(formatSize(bytes), any) === bytes))
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.string(), fc.stringMatching(/^[0-9.]{1,8}(B|KiB|MiB|GiB)$/), fc.anything()), (value) => {
        const read = readSize(value, any)
        return read instanceof Misread || Number.isSafeInteger(read)
      }),
    )
  })
})

describe('shares', () => {
  test('a percentage is a share', () => {
    assert.equal(readPercent('20%'), 0.2)
    assert.equal(readPercent('0%'), 0)
    assert.equal(readPercent('100%'), 1)
    assert.equal(readPercent('12.5%'), 0.125)
  })

  for (const value of ['101%', '-1%', '20', 20, 0.2, '%', null])
    test(`${JSON.stringify(value)} is no percentage`, () => void misread(readPercent(value)))

  test('a bare share is put right', () => assert.equal(misread(readPercent(0.2)).hint, 'write 20%'))

  test('weights are above 0, and samples at most 1', () => {
    assert.equal(readWeight(0.5), 0.5)
    assert.equal(misread(readWeight(0)).hint, 'leave a target without traffic out')
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null]) misread(readWeight(value))
    assert.equal(readSample(1), 1)
    for (const value of [0, 1.01, -1, Number.NaN, '0.1', true]) misread(readSample(value))
  })
})
