/** What an app does with a Redis, in words that every client library can say: done through a gateway it has the same results. */

export type Result = string | number | null | boolean | readonly Result[]

/** One connection of a client library, by the library's own ways. */
export interface Client {
  call(...words: readonly string[]): Promise<Result>
  pipeline(commands: readonly (readonly string[])[]): Promise<readonly Result[]>
  /** Null: it was not carried out, since a watched key has changed. */
  transaction(commands: readonly (readonly string[])[]): Promise<readonly Result[] | null>
  /** The first `count` messages of a channel; `ready` is called when it is subscribed. */
  messages(channel: string, count: number, ready: () => Promise<void>): Promise<readonly Result[]>
  /** Another connection of the same kind. */
  another(): Promise<Client>
  close(): Promise<void>
}

/** An error's line is a result. */
async function tried(result: Promise<Result>): Promise<Result> {
  return result.catch((error: Error) => `${error.message.split('\n')[0]}`)
}

export async function playAll(client: Client): Promise<Readonly<Record<string, Result>>> {
  const results: Record<string, Result> = {}
  for (const [name, play] of Object.entries(scenarios)) {
    await client.call('FLUSHALL')
    results[name] = await play(client)
  }
  return results
}

/** Reads so often that the key is held, if there is a cache. */
async function readOften(client: Client, ...words: readonly string[]): Promise<Result> {
  const all: Result[] = []
  for (let round = 0; round < 8; round++) {
    all.push(await tried(client.call(...words)))
    await new Promise((done) => setTimeout(done, 5))
  }
  return all
}

const scenarios: Readonly<Record<string, (client: Client) => Promise<Result>>> = {
  'strings that are written and read again and again': async (client) => {
    const results: Result[] = []
    for (let round = 0; round < 4; round++) {
      results.push(await client.call('SET', 'k', `v${round}`), await readOften(client, 'GET', 'k'))
      results.push(await client.call('INCR', 'n'), await readOften(client, 'MGET', 'k', 'n', 'none'))
    }
    return results
  },
  'hashes, whole and by field': async (client) => {
    const results: Result[] = [await client.call('HSET', 'h', 'f', 'v', 'g', 'w')]
    for (const words of [
      ['HGETALL', 'h'],
      ['HGET', 'h', 'f'],
      ['HMGET', 'h', 'f', 'none'],
      ['HGET', 'none', 'f'],
      ['HGETALL', 'none'],
    ])
      results.push(await readOften(client, ...words))
    results.push(await client.call('HDEL', 'h', 'f'), await readOften(client, 'HGETALL', 'h'), await client.call('HINCRBY', 'h', 'n', '3'))
    results.push(await readOften(client, 'HGET', 'h', 'n'))
    return results
  },
  'keys that are missing, come, expire and go': async (client) => {
    const results: Result[] = [await readOften(client, 'GET', 'k'), await readOften(client, 'EXISTS', 'k', 'k')]
    results.push(await client.call('SET', 'k', 'v', 'PX', '150'), await readOften(client, 'EXISTS', 'k'))
    await new Promise((done) => setTimeout(done, 200))
    results.push(await readOften(client, 'GET', 'k'), await readOften(client, 'TTL', 'k'))
    results.push(await client.call('SET', 'k', 'v', 'EX', '1000'), await readOften(client, 'TTL', 'k'))
    results.push(await client.call('PERSIST', 'k'), await readOften(client, 'PTTL', 'k'), await client.call('DEL', 'k'))
    results.push(await readOften(client, 'GET', 'k'))
    return results
  },
  'names and values of every byte': async (client) => {
    const odd = 'a\r\nb\u0000c é "quoted" $5'
    const results: Result[] = [await client.call('SET', odd, odd), await readOften(client, 'GET', odd)]
    results.push(await client.call('HSET', 'h', odd, odd), await readOften(client, 'HGETALL', 'h'))
    return results
  },
  'errors, which are told in place': async (client) => {
    await client.call('LPUSH', 'list', 'a')
    const results: Result[] = []
    for (const words of [['GET', 'list'], ['HGET', 'list', 'f'], ['INCR', 'list'], ['NONSENSE'], ['GET'], ['SET', 'k']])
      results.push(await readOften(client, ...words))
    return results
  },
  'a pipeline of writes and reads of the same keys': async (client) => {
    await readOften(client, 'GET', 'k')
    const commands = Array.from({ length: 300 }, (_, at) => [
      ['SET', `k${at % 7}`, String(at)],
      ['GET', `k${at % 7}`],
      ['GET', `k${(at + 1) % 7}`],
    ]).flat()
    return client.pipeline(commands)
  },
  'many things at once on one connection': async (client) => {
    await client.call('SET', 'k', 'v')
    const all = Array.from({ length: 500 }, (_, at) => (at % 3 === 0 ? client.call('GET', 'k') : client.call('INCR', 'n')))
    return Promise.all(all)
  },
  'transactions, with and without a watched key that changes': async (client) => {
    const other = await client.another()
    const results: Result[] = [await client.call('SET', 'k', '1'), await readOften(client, 'GET', 'k')]
    const commands = [
      ['GET', 'k'],
      ['SET', 'k', '2'],
      ['GET', 'k'],
    ]
    results.push(await client.transaction(commands), await readOften(client, 'GET', 'k'))
    await client.call('WATCH', 'k')
    await other.call('SET', 'k', '3')
    results.push(await client.call('GET', 'k'), await client.transaction([['SET', 'k', '4']]), await readOften(client, 'GET', 'k'))
    await other.close()
    return results
  },
  'scripts, with keys that they declare and that they do not': async (client) => {
    const results: Result[] = [await client.call('SET', 'k', '1'), await readOften(client, 'GET', 'k')]
    results.push(
      await client.call('EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", '1', 'k', '2'),
      await readOften(client, 'GET', 'k'),
    )
    results.push(
      await client.call('EVAL', "redis.call('SET', 'k', '3') return {1, 'two', false}", '0'),
      await readOften(client, 'GET', 'k'),
    )
    return results
  },
  'other databases': async (client) => {
    const results: Result[] = [await client.call('SET', 'k', 'zero'), await readOften(client, 'GET', 'k')]
    results.push(await client.call('SELECT', '1'), await readOften(client, 'GET', 'k'), await client.call('SET', 'k', 'one'))
    results.push(await readOften(client, 'GET', 'k'), await client.call('SELECT', '0'), await readOften(client, 'GET', 'k'))
    results.push(await client.call('SWAPDB', '0', '1'), await readOften(client, 'GET', 'k'))
    return results
  },
  'messages to who subscribed': async (client) => {
    const other = await client.another()
    const messages = await client.messages('channel', 3, async () => {
      for (const message of ['one', 'two', 'three']) await other.call('PUBLISH', 'channel', message)
    })
    await other.close()
    return messages
  },
  'one that waits for an element': async (client) => {
    const other = await client.another()
    const waiting = client.call('BLPOP', 'list', '10')
    await other.call('RPUSH', 'list', 'element')
    const results = [await waiting, await client.call('LLEN', 'list')]
    await other.close()
    return results
  },
  'values of a megabyte': async (client) => {
    const value = 'x'.repeat(1_000_000)
    const results: Result[] = [await client.call('SET', 'big', value)]
    for (let round = 0; round < 4; round++) results.push((await client.call('GET', 'big')) === value)
    return results
  },
  'all keys, by SCAN': async (client) => {
    await client.pipeline(Array.from({ length: 100 }, (_, at) => ['SET', `key-${at}`, 'v']))
    const found: string[] = []
    let cursor = '0'
    do {
      const reply = await client.call('SCAN', cursor, 'MATCH', 'key-*', 'COUNT', '30')
      if (!Array.isArray(reply)) return 'no array'
      cursor = String(reply[0])
      if (Array.isArray(reply[1])) found.push(...reply[1].map(String))
    } while (cursor !== '0')
    return [...new Set(found)].sort()
  },
}
