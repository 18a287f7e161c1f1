/** The self-test of a server that is to be a source, against servers that do what no Redis does, or does at a bad moment. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { probeKeyFor, selfTest } from '../../../src/cache/redis/self-test.ts'
import type { Reply, Session, Words } from '../../../src/cache/session.ts'
import { BatonError } from '../../../src/errors.ts'

type Told = (keys: readonly Buffer[] | null) => void

/** A server that tells by `tell`, which is called with each command that was given to it. */
class FakeServer implements Session {
  readonly server = { version: '7.4.0', runId: 'run', address: 'here', user: 'default', evictionPolicy: null, commands: [] }
  listener: Told = () => {}
  readonly #tell: (words: Words, told: Told) => void

  constructor(tell: (words: Words, told: Told) => void) {
    this.#tell = tell
  }

  async read(commands: readonly Words[]): Promise<readonly Reply[]> {
    for (const words of commands) this.#tell(words, this.listener)
    return commands.map(() => Buffer.from('1'))
  }

  aside(commands: readonly Words[]): Promise<readonly Reply[]> {
    return this.read(commands)
  }

  async heard(): Promise<void> {
    this.#tell(['PING'], this.listener)
  }

  close(): void {}

  test(): Promise<void> {
    return selfTest(this, 'probe', (listen) => (this.listener = listen))
  }
}

const probe = [Buffer.from('probe')]

function isUnsupported(error: unknown): boolean {
  return error instanceof BatonError && error.code === 'unsupported'
}

describe('the self-test', () => {
  test('is passed by a server that tells of a change before it answers what came later', async () => {
    await new FakeServer(([command, , value], told) => command === 'SET' && value === '2' && told(probe)).test()
  })

  test('is failed by a server that tells nothing, or of the wrong change', async () => {
    await assert.rejects(new FakeServer(() => {}).test(), isUnsupported)
    await assert.rejects(
      new FakeServer(([command, , value], told) => command === 'SET' && value === '1' && told(probe)).test(),
      isUnsupported,
    )
    await assert.rejects(new FakeServer(([command], told) => command === 'SET' && told([Buffer.from('another')])).test(), isUnsupported)
  })

  test('is passed when all is flushed meanwhile: Redis tells of everything then, and of nothing after it', async () => {
    await new FakeServer(([command, , value], told) => command === 'SET' && value === '2' && told(null)).test()
    await new FakeServer(([command], told) => command === 'GET' && told(null)).test()
  })
})

describe('the probe', () => {
  const keyFor = (by: 'broadcast' | 'keys', ...prefixes: string[]) => probeKeyFor({ by, prefixes }, '0123456789abcdef', 7)

  test('has a prefix of its own beside those of the configuration', () => {
    assert.deepEqual(keyFor('broadcast', 'shop:'), { key: 'baton:probe:01234567-7', prefix: 'baton:probe:' })
  })

  test('is under a configured prefix that covers it, as Redis refuses overlapping ones', () => {
    assert.deepEqual(keyFor('broadcast', ''), { key: 'baton:probe:01234567-7', prefix: null })
    assert.deepEqual(keyFor('broadcast', 'baton:'), { key: 'baton:probe:01234567-7', prefix: null })
    assert.deepEqual(keyFor('broadcast', 'baton:probe:mine:'), { key: 'baton:probe:mine:baton-probe-01234567-7', prefix: null })
  })

  test('needs none where keys are tracked one by one', () => {
    assert.deepEqual(keyFor('keys', 'shop:'), { key: 'baton:probe:01234567-7', prefix: null })
  })
})
