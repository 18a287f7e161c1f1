/** The contract with apps, by its test vectors: docs/reference/push.md says what they mean. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Bytes, Payload } from '../../../src/cache/client/map.ts'
import { nameOf } from '../../../src/cache/client/name.ts'
import { Receiver } from '../../../src/cache/client/receiver.ts'
import { bytesOfWire, type WireBytes } from '../../../src/cache/push/wire.ts'
import { FakeWorld } from '../../kit/fake-world.ts'

type Step = { readonly at: number } & (
  | { readonly batch: readonly unknown[]; readonly answer: unknown }
  | { readonly body: readonly { readonly text: string; readonly times?: number }[]; readonly answer: unknown }
  | { readonly write: readonly WireBytes[]; readonly fence: number }
  | { readonly returned: number }
  | { readonly get: WireBytes; readonly finds: unknown }
)

interface Vectors {
  readonly instance: string
  readonly cases: readonly { readonly name: string; readonly steps: readonly Step[]; readonly keys: number }[]
}

const vectors = JSON.parse(readFileSync(new URL('../push/vectors.json', import.meta.url), 'utf8')) as Vectors

describe('an app that is pushed to, by the test vectors', () => {
  for (const { name, steps, keys } of vectors.cases) {
    test(name, () => {
      const world = new FakeWorld()
      const began = world.elapsed()
      const receiver = new Receiver({ max: 1_000 }, vectors.instance, world)
      for (const step of steps) {
        world.advance(began + step.at - world.elapsed())
        follow(receiver, step)
      }
      assert.equal(receiver.size, keys)
    })
  }
})

function follow(receiver: Receiver, step: Step): void {
  const where = JSON.stringify(step).slice(0, 200)
  if ('get' in step) assert.deepEqual(found(receiver.look(name(step.get))), step.finds, where)
  else if ('write' in step) assert.equal(receiver.begin(step.write.map(name)), step.fence, where)
  else if ('returned' in step) receiver.end(step.returned)
  else {
    const body = 'body' in step ? step.body.map(({ text, times = 1 }) => text.repeat(times)).join('') : ndjson(step.batch)
    assert.deepEqual(JSON.parse(receiver.receive(Buffer.from(body))), step.answer, where)
  }
}

function ndjson(lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

function name(key: WireBytes): string {
  return nameOf(typeof key === 'string' ? key : (bytesOfWire(key) ?? assert.fail()))
}

function found(payload: Payload | undefined): unknown {
  if (payload === undefined) return 'miss'
  if (payload.is === 'absent') return { absent: true }
  if (payload.is === 'value') return { value: wire(payload.value) }
  return { hash: payload.fields.map((pair) => pair.map(wire)) }
}

function wire(bytes: Bytes): WireBytes {
  return typeof bytes === 'string' ? bytes : { base64: bytes.toString('base64') }
}
