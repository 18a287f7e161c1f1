/** Where the app's Redis is, and where its clients are pointed at instead. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Case, check } from './faults-in-words.ts'
import { faultsOf, minimal, parse } from './fixture.ts'
import { liveWith, loaded } from './live-fixture.ts'

const redis = (keys: string): string => `bootstrap: { redis: { ${keys} } }\n${minimal}`
const at = (url: string): string => redis(`url: "${url}"`)
const gateways = (given: string): string => redis(`url: "redis://r", gateways: { ${given} }`)

function settled(text: string) {
  return parse(text).bootstrap.redis ?? assert.fail('no Redis')
}

describe('a Redis', () => {
  const places: readonly (readonly [url: string, place: object, database: number])[] = [
    ['redis://127.0.0.1:6380/3', { is: 'tcp', host: '127.0.0.1', port: 6_380 }, 3],
    ['redis://redis.internal', { is: 'tcp', host: 'redis.internal', port: 6_379 }, 0],
    ['redis://redis/', { is: 'tcp', host: 'redis', port: 6_379 }, 0],
    ['REDIS://[::1]:7/65535', { is: 'tcp', host: '::1', port: 7 }, 65_535],
    ['unix:///run/redis.sock', { is: 'unix', path: '/run/redis.sock' }, 0],
    ['unix:///run/redis.sock?db=2', { is: 'unix', path: '/run/redis.sock' }, 2],
    ['unix:/run/redis.sock', { is: 'unix', path: '/run/redis.sock' }, 0],
  ]
  for (const [url, place, database] of places) {
    test(url, () => {
      const { tls, login, gateways: none, names, ...rest } = settled(at(url))
      assert.deepEqual(rest, { place, database })
      assert.deepEqual([tls, login, none, names], [null, null, {}, null])
    })
  }

  test('by rediss:// is one with TLS, whether or not tls says more', () => {
    const none = { ca: null, cert: null, key: null, serverName: null }
    assert.deepEqual(settled(at('rediss://r')).tls, none)
    assert.deepEqual(settled(redis('url: "rediss://r", tls: { ca: ca.pem, serverName: r.internal }')).tls, {
      ...none,
      ca: '/etc/baton/ca.pem',
      serverName: 'r.internal',
    })
  })

  test('has a password of the default user, or a user with one; its files are beside the configuration', () => {
    assert.deepEqual(settled(redis('url: "redis://r", passwordFile: p')).login, { user: null, passwordFile: '/etc/baton/p' })
    assert.deepEqual(settled(redis('url: "redis://r", user: u, passwordFile: /p')).login, { user: 'u', passwordFile: '/p' })
    assert.equal(settled(redis('url: "redis://r", names: n.txt')).names, '/etc/baton/n.txt')
  })

  test('that sentinels know', () => {
    const { place, database, tls } = settled(
      redis('sentinels: { master: m, addresses: [s1, "s2:1", "[::1]:2"], database: 4, passwordFile: p }, tls: {}'),
    )
    assert.deepEqual(place, {
      is: 'sentinels',
      master: 'm',
      addresses: [
        { host: 's1', port: 26_379 },
        { host: 's2', port: 1 },
        { host: '::1', port: 2 },
      ],
      login: { user: null, passwordFile: '/etc/baton/p' },
    })
    assert.deepEqual([database, tls], [4, { ca: null, cert: null, key: null, serverName: null }])
    assert.deepEqual(settled(redis('sentinels: { master: m, addresses: [s] }')).tls, null)
  })

  test('has gateways, by version: of a socket with its mode, which is the owner’s alone', () => {
    const { gateways: given } = settled(
      gateways('v1: { address: "unix:/run/1" }, v2: { address: "unix:/run/2", mode: "0660" }, v3: { address: "[::1]:6393" }'),
    )
    assert.deepEqual(given, {
      v1: { address: { is: 'unix', path: '/run/1' }, mode: 0o600 },
      v2: { address: { is: 'unix', path: '/run/2' }, mode: 0o660 },
      v3: { address: { is: 'tcp', host: '::1', port: 6_393 }, mode: 0o600 },
    })
  })
})

const expected = 'a URL of the form redis://HOST:PORT/DB, rediss://HOST:PORT/DB or unix:///path?db=DB'
const urls: readonly (readonly [url: string, rest: string])[] = [
  ['redis://u:hunter2@r', `found a URL with a user or a password, expected ${expected} (put them into user and passwordFile)`],
  ['redis://:hunter2@r', `found a URL with a user or a password, expected ${expected} (put them into user and passwordFile)`],
  ['hunter2@r:6379', `found a URL with a user or a password, expected ${expected} (put them into user and passwordFile)`],
  ['redis://r?password=hunter2', `found a URL with a user or a password, expected ${expected} (put them into user and passwordFile)`],
  ['unix:///r?password=hunter2', `found a text, expected ${expected} (only db may follow the path: unix:///path?db=0)`],
  ['redis://r?db=1', `found a text, expected ${expected} (only a database may follow the address)`],
  ['redis://r#hunter2', `found a text, expected ${expected} (only a database may follow the address)`],
  ['redis:///1', `found a text, expected ${expected} (only a database may follow the address)`],
  ['http://r', `found the scheme http, expected ${expected} (begin with redis://)`],
  ['r:6379', `found no scheme, expected ${expected} (begin with redis://)`],
  ['', `found no scheme, expected ${expected} (begin with redis://)`],
  ['redis://r/x', 'found another database, expected a database from 0 to 65535'],
  ['redis://r/1/2', 'found another database, expected a database from 0 to 65535'],
  ['redis://r/65536', 'found another database, expected a database from 0 to 65535'],
  ['redis://r:0', 'found port 0, expected a port from 1 to 65535'],
  ['redis://r:65536', 'found port 65536, expected a port from 1 to 65535'],
  ['redis://a b', 'found a text, expected an IP address or a host name'],
  ['redis://r:x', 'found a text, expected an IP address or a host name'],
  ['redis://[r]', 'found a text, expected an IPv6 address in brackets'],
  ['unix://run/r', 'found a text, expected the absolute path of a Unix socket'],
  ['unix:///run/../r', 'found a text, expected the absolute path of a Unix socket, without //, /./ and /../ (write /r)'],
]

const form: Case[] = [
  ...urls.map(([url, rest]): Case => [`the URL ${url}`, at(url), `:1:28 bootstrap.redis.url: ${rest}`]),
  ['no place', redis(''), ':1:21 bootstrap.redis: found none of them, expected exactly one of url, sentinels'],
  [
    'two places',
    redis('url: "redis://r", sentinels: { master: m, addresses: [s] }'),
    ':1:21 bootstrap.redis: found url and sentinels, expected exactly one of url, sentinels',
  ],
  [
    'a user without a password',
    redis('url: "redis://r", user: u'),
    ':1:21 bootstrap.redis: found user alone, expected passwordFile beside user',
  ],
  [
    'a password in the file, which is not repeated',
    redis('url: "redis://r", password: hunter2'),
    ':1:41 bootstrap.redis.password: found the unknown key "password", expected a known key',
  ],
  [
    'a user of the sentinels without a password',
    redis('sentinels: { master: m, addresses: [s], user: u }'),
    ':1:34 bootstrap.redis.sentinels: found user alone, expected passwordFile beside user',
  ],
  [
    'a sentinel with a user, which is not repeated',
    redis('sentinels: { master: m, addresses: ["u:hunter2@s"] }'),
    ':1:59 bootstrap.redis.sentinels.addresses[0]: found an address with a user, expected the address of a sentinel: HOST:PORT (user and password have keys of their own)',
  ],
  [
    'a sentinel by a URL',
    redis('sentinels: { master: m, addresses: ["redis://s:1"] }'),
    ':1:59 bootstrap.redis.sentinels.addresses[0]: found "redis://s:1", expected the address of a sentinel: HOST:PORT (leave the scheme out)',
  ],
  [
    'no sentinel',
    redis('sentinels: { master: m, addresses: [] }'),
    ':1:58 bootstrap.redis.sentinels.addresses: found an empty list, expected at least 1 entry',
  ],
  [
    'tls beside a plain URL',
    redis('url: "redis://r", tls: {}'),
    ':1:21 bootstrap.redis: found tls beside a redis:// URL, expected a rediss:// URL with tls',
  ],
  [
    'tls beside a socket',
    redis('url: "unix:/r", tls: {}'),
    ':1:21 bootstrap.redis: found tls beside a Unix socket, expected a rediss:// URL with tls',
  ],
  [
    'a certificate without its key',
    redis('url: "rediss://r", tls: { cert: c }'),
    ':1:47 bootstrap.redis.tls: found cert alone, expected cert and key together',
  ],
  ...(
    [
      [':6391', '0.0.0.0:6391', '6391'],
      ['0.0.0.0:6391', '0.0.0.0:6391', '6391'],
      ['10.0.0.1:1', '10.0.0.1:1', '1'],
      ['[::]:6391', '[::]:6391', '6391'],
    ] as const
  ).map(
    ([address, found, port]): Case => [
      `a gateway for everybody, at ${address}`,
      gateways(`v1: { address: "${address}" }`),
      `:1:68 bootstrap.redis.gateways.v1.address: found ${found}, expected a loopback address or a Unix socket (write 127.0.0.1:${port}, or unix:/path; a gateway answers with baton's own rights)`,
    ],
  ),
  [
    'a gateway without an address',
    gateways('v1: { mode: "0600" }'),
    ':1:53 bootstrap.redis.gateways.v1.address: found nothing, expected an address to bind: 0.0.0.0:8080, [::]:8080, :8080 or unix:/run/x.sock',
  ],
  [
    'a mode beside a port',
    gateways('v1: { address: "127.0.0.1:1", mode: "0660" }'),
    ':1:57 bootstrap.redis.gateways.v1: found mode, expected no mode beside a TCP address (a mode is of a Unix socket)',
  ],
  ...(
    [
      ['0660', '660 (a number)', ' (write "0660")'],
      ['0o660', '432 (a number)', ' (write "0660")'],
      ['"660"', '"660"', ' (write "0660")'],
      ['"0777"', '"0777"', ''],
      ['"rw-rw----"', '"rw-rw----"', ''],
      ['7', '7 (a number)', ''],
    ] as const
  ).map(
    ([mode, found, hint]): Case => [
      `the mode ${mode}`,
      gateways(`v1: { address: "unix:/r", mode: ${mode} }`),
      `:1:85 bootstrap.redis.gateways.v1.mode: found ${found}, expected "0600", "0660" or "0666"${hint}`,
    ],
  ),
  ...(
    [
      ['redis://127.0.0.1:6391', '127.0.0.1:6391'],
      ['redis://localhost:6391/2', '127.0.0.1:6391'],
      ['unix:///run/r.sock', 'unix:/run/r.sock'],
    ] as const
  ).map(
    ([url, address]): Case => [
      `its own gateway as the Redis: ${url}`,
      redis(`url: "${url}", gateways: { v1: { address: "${address}" } }`),
      ":1:21 bootstrap.redis: found a url of baton itself, expected the app's Redis (it is the gateway of v1)",
    ],
  ),
]

const rules: Case[] = [
  [
    'two gateways on one port',
    gateways('v1: { address: "127.0.0.1:1" }, v2: { address: "127.0.0.1:1" }'),
    ':1:100 bootstrap.redis.gateways.v2.address: found port 1, expected an address of its own (the gateway of v1 has it)',
  ],
  [
    'two gateways on one socket',
    gateways('v1: { address: "unix:/r" }, v2: { address: "unix:/r" }'),
    ':1:96 bootstrap.redis.gateways.v2.address: found the socket /r, expected an address of its own (the gateway of v1 has it)',
  ],
  [
    'a gateway on a listener’s port',
    gateways('v1: { address: "127.0.0.1:8080" }'),
    ':1:68 bootstrap.redis.gateways.v1.address: found port 8080, expected an address of its own (the public listener has it)',
  ],
  [
    'a gateway on the admin socket',
    gateways('v1: { address: "unix:/srv/.baton/admin.sock" }'),
    ':1:68 bootstrap.redis.gateways.v1.address: found the socket /srv/.baton/admin.sock, expected an address of its own (the admin socket has it)',
  ],
  [
    'a process on a gateway’s port',
    `bootstrap:\n  redis: { url: "redis://r", gateways: { v1: { address: "127.0.0.1:7" } } }\n  processes: { p: { command: [a], port: 7 } }\n${minimal}`,
    ':3:41 bootstrap.processes.p.port: found port 7, expected an address of its own (the gateway of v1 has it)',
  ],
  [
    'a version at a gateway',
    'bootstrap: { redis: { url: "redis://r", gateways: { v1: { address: "127.0.0.1:7" } } } }\nversions: { v1: { url: "http://127.0.0.1:7" } }\nstable: v1\n',
    ":2:24 versions.v1.url: found an address of baton itself, expected the app's address (this is the gateway of v1)",
  ],
  [
    'a gateway of a role',
    gateways('stable: { address: "127.0.0.1:1" }'),
    ':1:53 bootstrap.redis.gateways.stable: found "stable", expected the name of a version (stable is the name of a role)',
  ],
]

describe('a Redis that cannot be asked, and a gateway that cannot be', () => check(form, 'schema'))
describe('a gateway that is in the way', () => check(rules, 'cross-check'))

test('a gateway may be there before its version is, as a process may', () => {
  assert.deepEqual(Object.keys(settled(gateways('v9: { address: "127.0.0.1:1" }')).gateways), ['v9'])
})

test('no fault repeats what may be a password', () => {
  for (const [url] of urls) assert.doesNotMatch(JSON.stringify(faultsOf(at(url))), /hunter2/, url)
})

describe('a running configuration', () => {
  const cached = `bootstrap: { redis: { url: "redis://secret-redis", user: u, passwordFile: secret-file } }\n${minimal}cache: { prefixes: ["a:"] }\n`

  test('shows nobody where Redis is', () => {
    const { live } = liveWith(loaded(cached))
    assert.doesNotMatch(live.dynamicText(), /secret/)
  })

  test('without Redis takes no cache by a reload, and says until when', () => {
    const { live } = liveWith(loaded(minimal))
    const outcome = live.offer(cached, 'file')
    const [fault] = outcome.is === 'refused' ? outcome.faults : []
    assert.deepEqual([fault?.path, fault?.found], ['cache', 'cache alone'])
    assert.match(fault?.hint ?? '', /the running listeners stay until a new generation$/)
  })

  test('keeps its Redis at a reload that brings another, and says so; the cache follows', () => {
    const { live } = liveWith(loaded(cached))
    const outcome = live.offer(cached.replace('secret-redis', 'other').replace('"a:"', '"b:"'), 'file')
    assert.deepEqual(outcome.is === 'applied' && outcome.needsGeneration, ['bootstrap.redis'])
    const { bootstrap, dynamic } = live.current()
    assert.deepEqual(bootstrap.redis?.place, { is: 'tcp', host: 'secret-redis', port: 6_379 })
    assert.deepEqual(dynamic.cache?.prefixes, ['b:'])
  })
})
