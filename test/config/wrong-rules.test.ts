/** Mistakes over several keys, and those of form whose words matter: each with its place and what a person reads. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Case, check } from './faults-in-words.ts'
import { faultsOf, minimal, options, parse } from './fixture.ts'

const v = 'versions: { v1: { url: "http://127.0.0.1:3001" }, v2: { url: "http://127.0.0.1:3002" } }\nstable: v1\n'

const names: Case[] = [
  [
    'stable names no version',
    'versions: { v1: { url: "http://127.0.0.1:1" } }\nstable: v11\n',
    ':2:9 stable: found "v11", expected the name of a version (did you mean v1?)',
  ],
  [
    'candidate names no version',
    `${v}candidate: blue\n`,
    ':3:12 candidate: found "blue", expected the name of a version (there is v1, v2)',
  ],
  [
    'a version is called like a role',
    'versions: { v1: { url: "http://127.0.0.1:1" }, stable: { url: "http://127.0.0.1:2" } }\nstable: v1\n',
    ':1:48 versions.stable: found "stable", expected another name (stable is the name of a role)',
  ],
  [
    'the other role too',
    'versions: { v1: { url: "http://127.0.0.1:1" }, candidate: { url: "http://127.0.0.1:2" } }\nstable: v1\n',
    ':1:48 versions.candidate: found "candidate", expected another name (candidate is the name of a role)',
  ],
  [
    'a route leads nowhere',
    `${v}routes: [{ name: a, to: v3 }]\n`,
    ':3:25 routes[0].to: found "v3", expected the name of a version, or stable or candidate (did you mean v1?)',
  ],
  [
    'a fallback leads nowhere',
    `${v}routes: [{ name: a, to: v2, fallback: stabel }]\n`,
    ':3:39 routes[0].fallback: found "stabel", expected the name of a version, or stable or candidate (did you mean stable?)',
  ],
  [
    'a fallback that is the target',
    `${v}routes: [{ name: a, to: v2, fallback: v2 }]\n`,
    ':3:39 routes[0].fallback: found "v2", expected another target than to',
  ],
  [
    'a split has a share for nobody',
    `${v}routes: [{ name: a, split: { v1: 1, green: 2 } }]\n`,
    ':3:37 routes[0].split.green: found "green", expected the name of a version, or stable or candidate (there is v1, v2, stable, candidate)',
  ],
  [
    'a route’s name twice',
    `${v}routes: [{ name: a, to: v2 }, { name: b, to: v2 }, { name: a, to: v1 }]\n`,
    ':3:60 routes[2].name: found "a", expected a name of its own (routes[0] has it)',
  ],
]

const upstreams: Case[] = [
  [
    'a network address that is not allowed',
    'versions: { v1: { url: "http://10.0.0.5:80" } }\nstable: v1\n',
    ':1:24 versions.v1.url: found 10.0.0.5, expected an upstream of bootstrap.allowUpstreams (add 10.0.0.5 to bootstrap.allowUpstreams)',
  ],
  [
    'a name that is not allowed, though a block is',
    'bootstrap: { allowUpstreams: [10.0.0.0/8] }\nversions: { v1: { url: "http://app2:80" } }\nstable: v1\n',
    ':2:24 versions.v1.url: found app2, expected an upstream of bootstrap.allowUpstreams (add app2 to bootstrap.allowUpstreams)',
  ],
  [
    'a socket where only networks are allowed',
    'bootstrap: { allowUpstreams: [loopback] }\nversions: { v1: { socket: /run/a.sock } }\nstable: v1\n',
    ':2:27 versions.v1.socket: found /run/a.sock, expected an upstream of bootstrap.allowUpstreams (add unix to bootstrap.allowUpstreams)',
  ],
  [
    'loopback where it is not allowed',
    'bootstrap: { allowUpstreams: [unix] }\nversions: { v1: { url: "http://localhost:3" } }\nstable: v1\n',
    ':2:24 versions.v1.url: found localhost, expected an upstream of bootstrap.allowUpstreams (add localhost to bootstrap.allowUpstreams)',
  ],
  [
    'a machine that is called as what the list calls loopback',
    'versions: { v1: { url: "http://loopback:80" } }\nstable: v1\n',
    ':1:24 versions.v1.url: found loopback, expected an upstream of bootstrap.allowUpstreams (write its address; in that list the word is no name)',
  ],
  ...(['169.254.169.254', '[fe80::1]', '[::ffff:169.254.169.254]', '2852039166'] as const).map(
    (host): Case => [
      `a link-local address, even if allowed: ${host}`,
      `bootstrap: { allowUpstreams: [0.0.0.0/0, "::/0"] }\nversions: { v1: { url: "http://${host}:80" } }\nstable: v1\n`,
      `:2:24 versions.v1.url: found ${{ '[fe80::1]': 'fe80::1', '[::ffff:169.254.169.254]': '::ffff:a9fe:a9fe' }[host as string] ?? '169.254.169.254'}, expected no link-local address (link-local addresses are never allowed)`,
    ],
  ),
  ...(['127.0.0.1:8080', 'localhost:8080', '[::1]:8080', '127.0.0.9:8080'] as const).map(
    (at): Case => [
      `a loop to the public listener by ${at}`,
      `versions: { v1: { url: "http://${at}" } }\nstable: v1\n`,
      ":1:24 versions.v1.url: found an address of baton itself, expected the app's address (this is the public listener)",
    ],
  ),
  [
    'a loop to the metrics listener',
    'versions: { v1: { url: "http://127.0.0.1:9902" } }\nstable: v1\n',
    ":1:24 versions.v1.url: found an address of baton itself, expected the app's address (this is the metrics listener)",
  ],
  [
    'the admin address for everyone',
    'bootstrap: { admin: { address: "127.0.0.1:9901", tokenFile: t } }\nversions: { v1: { url: "http://127.0.0.1:9901" } }\nstable: v1\n',
    ":2:24 versions.v1.url: found an address of baton itself, expected the app's address (this is the admin address)",
  ],
  [
    'the admin socket for everyone',
    'versions: { v1: { socket: /srv/.baton/admin.sock } }\nstable: v1\n',
    ":1:27 versions.v1.socket: found an address of baton itself, expected the app's address (this is the admin socket)",
  ],
  [
    'a loop by a Unix socket',
    'bootstrap: { listeners: { public: { address: "unix:/run/b.sock" } } }\nversions: { v1: { socket: /run/b.sock } }\nstable: v1\n',
    ":2:27 versions.v1.socket: found an address of baton itself, expected the app's address (this is the public listener)",
  ],
]

const process = (name: string, port: number): string => `${name}: { command: [app], port: ${port} }`
const long = 'x'.repeat(120)

const binding: Case[] = [
  [
    'two listeners on one port',
    `bootstrap: { listeners: { metrics: { address: "127.0.0.1:8080" } } }\n${minimal}`,
    ':1:47 bootstrap.listeners.metrics.address: found port 8080, expected an address of its own (the public listener has it)',
  ],
  [
    'a process on a listener’s port',
    `bootstrap: { processes: { ${process('p', 8080)} } }\n${minimal}`,
    ':1:54 bootstrap.processes.p.port: found port 8080, expected an address of its own (the public listener has it)',
  ],
  [
    'two processes on one port',
    `bootstrap: { processes: { ${process('p', 81)}, ${process('q', 81)} } }\n${minimal}`,
    ':1:87 bootstrap.processes.q.port: found port 81, expected an address of its own (the process p has it)',
  ],
  [
    'the admin address on a listener’s port',
    `bootstrap: { admin: { address: "127.0.0.1:8080", tokenFile: t } }\n${minimal}`,
    ':1:32 bootstrap.admin.address: found port 8080, expected an address of its own (the public listener has it)',
  ],
  [
    'a public admin address',
    `bootstrap: { admin: { address: "0.0.0.0:9901", tokenFile: t } }\n${minimal}`,
    ':1:32 bootstrap.admin.address: found 0.0.0.0, expected a loopback address (write 127.0.0.1:9901, and reach it through ssh or kubectl port-forward)',
  ],
  [
    'one socket for two listeners',
    `bootstrap: { listeners: { public: { address: "unix:/a" }, metrics: { address: "unix:/a" } } }\n${minimal}`,
    ':1:79 bootstrap.listeners.metrics.address: found the socket /a, expected an address of its own (the public listener has it)',
  ],
  [
    'a state folder whose admin socket would be too long',
    `bootstrap: { state: /${long} }\n${minimal}`,
    ':1:21 bootstrap.state: found 132 bytes, expected a socket path of at most 107 bytes (set state, or BATON_STATE, to a shorter path)',
  ],
  [
    'a listener’s socket path that is too long',
    `bootstrap: { listeners: { public: { address: "unix:/${long}" } } }\n${minimal}`,
    ':1:46 bootstrap.listeners.public.address: found 121 bytes, expected a socket path of at most 107 bytes (use a shorter folder)',
  ],
  [
    'a process that nobody described',
    'bootstrap: { processes: { app1: { command: [a], port: 1 } } }\nversions: { v1: { process: app2 } }\nstable: v1\n',
    ':2:28 versions.v1.process: found "app2", expected the name of a process of bootstrap.processes (did you mean app1?)',
  ],
  [
    'no process at all',
    'versions: { v1: { process: app } }\nstable: v1\n',
    ':1:28 versions.v1.process: found "app", expected the name of a process of bootstrap.processes (there is none)',
  ],
  [
    'a process for two versions',
    `bootstrap: { processes: { ${process('p', 1)} } }\nversions: { v1: { process: p }, v2: { process: p } }\nstable: v1\n`,
    ':2:48 versions.v2.process: found "p", expected a process of its own (versions.v1 has it)',
  ],
  [
    'PORT in the environment',
    `bootstrap: { processes: { p: { command: [a], port: 1, env: { PORT: "1" } } } }\n${minimal}`,
    ':1:60 bootstrap.processes.p.env: found PORT, expected no PORT (baton sets PORT from the key port)',
  ],
  [
    'a number in the environment, which is not repeated',
    `bootstrap: { processes: { p: { command: [a], port: 1, env: { PIN: 1234 } } } }\n${minimal}`,
    ':1:67 bootstrap.processes.p.env.PIN: found a number, expected a text (quote it)',
  ],
]

const etcd = (keys: string): string => `bootstrap: { config: { etcd: ${keys} } }\n${minimal}`
/** With the keys that must be there, and one more. */
const withEtcd = (key: string): string => etcd(`{ endpoints: ["http://a:1"], prefix: /p, ${key} }`)
const endpoint = 'a URL of the form http://HOST:PORT or https://HOST:PORT'

const remote: Case[] = [
  [
    'another store',
    `bootstrap: { config: { consul: {} } }\n${minimal}`,
    ':1:14 bootstrap.config.etcd: found nothing, expected a mapping',
    ':1:24 bootstrap.config.consul: found the unknown key "consul", expected a known key (known keys: etcd)',
  ],
  ['no store', `bootstrap: { config: {} }\n${minimal}`, ':1:14 bootstrap.config.etcd: found nothing, expected a mapping'],
  [
    'neither endpoints nor prefix',
    etcd('{}'),
    ':1:24 bootstrap.config.etcd.endpoints: found nothing, expected a list',
    ':1:24 bootstrap.config.etcd.prefix: found nothing, expected a prefix such as /baton/shop',
  ],
  [
    'no endpoint',
    etcd('{ endpoints: [], prefix: /p }'),
    ':1:43 bootstrap.config.etcd.endpoints: found an empty list, expected at least 1 entry',
  ],
  [
    'an endpoint that is no list',
    etcd('{ endpoints: "http://a:1", prefix: /p }'),
    ':1:43 bootstrap.config.etcd.endpoints: found "http://a:1", expected a list (write a list: [http://a:1])',
  ],
  ...(
    [
      ['"a:1"', 'found "a:1"', `${endpoint} (write http://a:1)`],
      ['"http://u:secret@a:1"', 'found "http://...@a:1"', `${endpoint} (user and password have keys of their own)`],
      ['"http://a"', 'found "http://a"', endpoint],
      ['"http://a:0"', 'found "http://a:0"', 'a port from 1 to 65535'],
      ['"http://a:70000"', 'found "http://a:70000"', endpoint],
      ['"http://a:1/v3"', 'found "http://a:1/v3"', endpoint],
      ['"http://a:1?b"', 'found "http://a:1?b"', endpoint],
      ['"unix:///run/etcd.sock"', 'found "unix:///run/etcd.sock"', endpoint],
      ['7', 'found 7 (a number)', endpoint],
    ] as const
  ).map(
    ([given, found, expected]): Case => [
      `the endpoint ${given}`,
      etcd(`{ endpoints: [${given}], prefix: /p }`),
      `:1:44 bootstrap.config.etcd.endpoints[0]: ${found}, expected ${expected}`,
    ],
  ),
  ...(
    [
      ['p', 'found "p"', 'a prefix such as /baton/shop (write /p)'],
      ['p/', 'found "p/"', 'a prefix such as /baton/shop (write /p)'],
      ['/p/', 'found "/p/"', 'a prefix such as /baton/shop (leave the / at the end out)'],
      ['/', 'found "/"', 'a prefix such as /baton/shop'],
      ['""', 'found ""', 'a prefix such as /baton/shop'],
      ['"/a\\0"', 'found "/a\\u0000"', 'a prefix without NUL'],
      [`/${'x'.repeat(512)}`, 'found 513 characters', 'at most 512 characters'],
      ['7', 'found 7 (a number)', 'a prefix such as /baton/shop'],
    ] as const
  ).map(
    ([given, found, expected]): Case => [
      `the prefix ${given.slice(0, 20)}`,
      etcd(`{ endpoints: ["http://a:1"], prefix: ${given} }`),
      `:1:67 bootstrap.config.etcd.prefix: ${found}, expected ${expected}`,
    ],
  ),
  [
    'a user without a password',
    withEtcd('user: u'),
    ':1:30 bootstrap.config.etcd: found user alone, expected user and passwordFile together',
  ],
  [
    'a password without a user',
    withEtcd('passwordFile: f'),
    ':1:30 bootstrap.config.etcd: found passwordFile alone, expected user and passwordFile together',
  ],
  [
    'user and password of another kind',
    withEtcd('user: 7, passwordFile: ""'),
    ':1:77 bootstrap.config.etcd.user: found 7 (a number), expected the name of an etcd user (quote it: "7")',
    ':1:94 bootstrap.config.etcd.passwordFile: found "", expected the path of a file',
  ],
  [
    'a password in the file, which is not repeated',
    withEtcd('password: secret'),
    ':1:71 bootstrap.config.etcd.password: found the unknown key "password", expected a known key',
  ],
  [
    'a certificate without its key',
    etcd('{ endpoints: ["https://a:1"], prefix: /p, tls: { cert: c } }'),
    ':1:77 bootstrap.config.etcd.tls: found cert alone, expected cert and key together',
  ],
  [
    'a key without its certificate',
    etcd('{ endpoints: ["https://a:1"], prefix: /p, tls: { key: k } }'),
    ':1:77 bootstrap.config.etcd.tls: found key alone, expected cert and key together',
  ],
  [
    'authorities that are no file',
    etcd('{ endpoints: ["https://a:1"], prefix: /p, tls: { ca: "" } }'),
    ':1:83 bootstrap.config.etcd.tls.ca: found "", expected the path of a file',
  ],
  ['tls as a switch', withEtcd('tls: true'), ':1:76 bootstrap.config.etcd.tls: found true (a boolean), expected a mapping'],
  [
    'tls, and an endpoint without it',
    etcd('{ endpoints: ["https://a:1", "http://b:1"], prefix: /p, tls: {} }'),
    ':1:30 bootstrap.config.etcd: found tls beside an http:// endpoint, expected https:// endpoints with tls',
  ],
  [
    'several of them',
    withEtcd('user: u, tls: { cert: c }'),
    ':1:30 bootstrap.config.etcd: found user alone, expected user and passwordFile together',
    ':1:30 bootstrap.config.etcd: found tls beside an http:// endpoint, expected https:// endpoints with tls',
    ':1:85 bootstrap.config.etcd.tls: found cert alone, expected cert and key together',
  ],
  [
    'an instance that is no name',
    withEtcd('instance: "a b"'),
    ':1:81 bootstrap.config.etcd.instance: found "a b", expected a name of letters',
  ],
  [
    'a misspelt key',
    withEtcd('instanse: a'),
    ':1:71 bootstrap.config.etcd.instanse: found the unknown key "instanse", expected a known key (did you mean instance?)',
  ],
]

const route = (rest: string): string => `${v}routes: [{ name: a, to: v2, ${rest} }]\n`

const words: Case[] = [
  ...['analysis', 'policy'].map(
    (key): Case => [
      `${key} at the top: it is in this build, as rollout.analysis`,
      `${minimal}${key}: {}\n`,
      `:4:1 ${key}: found the unknown key "${key}", expected a known key`,
    ],
  ),
  [
    'a duration without unit',
    `${minimal}timeouts: { connect: 5 }\n`,
    ':4:22 timeouts.connect: found 5 (a number), expected a duration from 1ms to 10m (give it a unit: 5ms or 5s)',
  ],
  [
    'a size in ambiguous units',
    `${minimal}limits: { headerBytes: 64kb }\n`,
    ':4:24 limits.headerBytes: found "64kb", expected a size from 1KiB to 1MiB (write 64KiB)',
  ],
  [
    'a header value that YAML reads as a boolean',
    route('match: { headers: { x-canary: true } }'),
    ':3:59 routes[0].match.headers.x-canary: found true (a boolean), expected a text or a mapping (quote it: "true")',
  ],
  [
    'a misspelt kind of match',
    route('match: { headers: { x: { exakt: v } } }'),
    ':3:54 routes[0].match.headers.x.exakt: found the unknown key "exakt", expected a known key (did you mean exact?)',
  ],
  [
    'two kinds of match',
    route('match: { headers: { x: { exact: v, prefix: v } } }'),
    ':3:52 routes[0].match.headers.x: found exact and prefix, expected exactly one of exact, prefix, suffix, contains, regex, oneOf, present',
  ],
  [
    'a back-reference',
    route('match: { path: { regex: "(a)\\\\1" } }'),
    /^:3:53 routes\[0\]\.match\.path\.regex: found "\(a\)\\\\1", expected a regular expression in RE2 syntax \(invalid escape sequence.*RE2.*\)$/
      .source,
  ],
  [
    'a method in lower case',
    route('match: { method: get }'),
    ':3:46 routes[0].match.method: found "get", expected a method such as GET (methods are case-sensitive: write GET)',
  ],
  [
    'a header twice in two cases',
    route('match: { headers: { X-A: b, x-a: c } }'),
    ':3:47 routes[0].match.headers: found x-a twice, expected each header once (case does not matter in header names)',
  ],
  [
    'a name that is no token',
    route('match: { headers: { "x y": b } }'),
    ':3:49 routes[0].match.headers["x y"]: found "x y", expected a header name (RFC 9110 token)',
  ],
  [
    'no condition at all',
    route('match: {}'),
    ':3:36 routes[0].match: found none, expected at least one condition (leave match out for every request)',
  ],
  [
    'absence by present: false',
    route('match: { headers: { x: { present: false } } }'),
    ':3:63 routes[0].match.headers.x.present: found false (a boolean), expected true (for the contrary write present: true, invert: true)',
  ],
  [
    'a block that is none',
    route('only: { cidrs: [10.0.0.0/33] }'),
    ':3:45 routes[0].only.cidrs[0]: found "10.0.0.0/33", expected a CIDR block such as 10.0.0.0/8 or fd00::/8 (the prefix length is not a whole number from 0 to 32)',
  ],
  [
    'Host set by a route',
    route('set: { Host: b }'),
    `:3:36 routes[0].set.Host: found "Host", expected a header that is the app's to read: no hop-by-hop, framing, forwarding, Host or baton- header`,
  ],
  ...['connection', 'Transfer-Encoding', 'content-length', 'TE', 'upgrade', 'baton-version', 'x-forwarded-for', 'via'].map(
    (name): Case => [
      `${name} set by a route`,
      route(`set: { ${name}: b }`),
      `:3:36 routes[0].set.${name}: found "${name}", expected a header that is the app's to read: no hop-by-hop, framing, forwarding, Host or baton- header`,
    ],
  ),
  [
    'a header split by a line break',
    route('set: { x: "a\\r\\nb: c" }'),
    ':3:39 routes[0].set.x: found "a\\r\\nb: c", expected a header value: no line breaks or control characters, no outer white space',
  ],
  [
    'a weight of 0',
    `${v}routes: [{ name: a, split: { v1: 1, v2: 0 } }]\n`,
    ':3:41 routes[0].split.v2: found 0 (a number), expected a weight above 0 and up to 1000000 (leave a target without traffic out)',
  ],
  [
    'to and split',
    `${v}routes: [{ name: a, to: v1, split: { v1: 1 } }]\n`,
    ':3:10 routes[0]: found to and split, expected exactly one of to, split',
  ],
  [
    'a URL with a path',
    'versions: { v1: { url: "http://127.0.0.1:1/app" } }\nstable: v1\n',
    ':1:24 versions.v1.url: found "http://127.0.0.1:1/app", expected a URL of the form http://HOST:PORT (leave the path out: http://127.0.0.1:1)',
  ],
  [
    'a URL with a password, which is not repeated',
    'versions: { v1: { url: "http://u:secret@127.0.0.1:1" } }\nstable: v1\n',
    ':1:24 versions.v1.url: found a URL with a user, expected a URL of the form http://HOST:PORT (user and password do not belong here)',
  ],
  [
    'a URL of a misspelt scheme with a password, which is not repeated',
    'versions: { v1: { url: "htp://u:secret@h:1" } }\nstable: v1\n',
    ':1:24 versions.v1.url: found "htp://...@h:1", expected a URL of the form http://HOST:PORT',
  ],
  [
    'a URL with a query',
    'versions: { v1: { url: "http://127.0.0.1:1?a" } }\nstable: v1\n',
    ':1:24 versions.v1.url: found "http://127.0.0.1:1?a", expected a URL of the form http://HOST:PORT (leave query and fragment out)',
  ],
  [
    'host and port alone',
    'versions: { v1: { url: "app:80" } }\nstable: v1\n',
    ':1:24 versions.v1.url: found "app:80", expected a URL of the form http://HOST:PORT (write http://app:80)',
  ],
  [
    'url and socket',
    'versions: { v1: { url: "http://127.0.0.1:1", socket: /a } }\nstable: v1\n',
    ':1:17 versions.v1: found url and socket, expected exactly one of process, url, socket',
  ],
  [
    'a name to bind',
    `bootstrap: { listeners: { public: { address: localhost:80 } } }\n${minimal}`,
    ':1:46 bootstrap.listeners.public.address: found "localhost:80", expected an address to bind: 0.0.0.0:8080, [::]:8080, :8080 or unix:/run/x.sock (write 127.0.0.1:80 or [::1]:80)',
  ],
  [
    'a port alone',
    `bootstrap: { listeners: { public: { address: 8080 } } }\n${minimal}`,
    ':1:46 bootstrap.listeners.public.address: found 8080 (a number), expected an address to bind: 0.0.0.0:8080, [::]:8080, :8080 or unix:/run/x.sock (write ":8080")',
  ],
  [
    'a command as a text',
    `bootstrap: { processes: { p: { command: node app.js, port: 1 } } }\n${minimal}`,
    ':1:41 bootstrap.processes.p.command: found "node app.js", expected a list (write a list: [node, app.js])',
  ],
  [
    'http and tcp probes at once',
    `${minimal}health: { http: /a, tcp: true }\n`,
    ':4:9 health: found http and tcp, expected http or tcp (leave one out)',
  ],
  [
    'a fast interval that is slow',
    `${minimal}health: { interval: 1s, fastInterval: 2s }\n`,
    ':2:3 versions.v1.health: found fastInterval 2s and interval 1s, expected a fastInterval of at most the interval (set both, here or in health)',
  ],
  [
    'a sticky by nothing',
    `${minimal}sticky: {}\n`,
    ':4:9 sticky: found neither, expected cookie, or, or both (for a header alone write or: { header: x-user-id })',
  ],
  [
    'a share without percent',
    `${minimal}retry: { budget: 0.2 }\n`,
    ':4:18 retry.budget: found 0.2 (a number), expected a percentage from 0% to 100% (write 20%)',
  ],
  [
    'a key left empty',
    'versions: { v1: { url: "http://127.0.0.1:1" } }\nstable: v1\nroutes:\n',
    ':3:1 routes: found nothing, expected a list (leave the key out for its default)',
  ],
  ['no version', 'versions: {}\nstable: v1\n', ':1:11 versions: found an empty mapping, expected at least one version'],
  [
    'an odd name',
    'versions: { "a b": { url: "http://127.0.0.1:1" }, v1: { url: "http://127.0.0.1:2" } }\nstable: v1\n',
    ':1:13 versions["a b"]: found "a b", expected a name of letters',
  ],
]

const later: Case[] = [
  [
    'the native stack',
    `bootstrap: { stack: native }\n${minimal}`,
    ':1:21 bootstrap.stack: found "native", expected node; the native stack is not in this build',
  ],
  [
    'https to an app',
    'versions: { v1: { url: "https://127.0.0.1:1" } }\nstable: v1\n',
    ':1:24 versions.v1.url: found "https://127.0.0.1:1", expected a URL of the form http://HOST:PORT; https:// to an app is not in this build',
  ],
  [
    'a slot',
    'versions: { v1: { slot: blue } }\nstable: v1\n',
    ':1:19 versions.v1.slot: found the key "slot", expected only what this build can do (slots: not in this build)',
  ],
  [
    'a signed link',
    route('only: { signed: x, cidrs: [10.0.0.0/8] }'),
    ':3:37 routes[0].only.signed: found the key "signed", expected only what this build can do (signed links: not in this build)',
  ],
  [
    'a mirror',
    route('mirror: v1'),
    ':3:29 routes[0].mirror: found the key "mirror", expected only what this build can do (mirrored requests: not in this build)',
  ],
  ...['tls', 'tracing', 'fleet'].map(
    (key): Case => [key, `${minimal}${key}: {}\n`, `:4:1 ${key}: found the key "${key}", expected only what this build can do`],
  ),
  ...['secrets', 'tls', 'workers'].map(
    (key): Case => [
      `bootstrap.${key}`,
      `bootstrap: { ${key}: {} }\n${minimal}`,
      `:1:14 bootstrap.${key}: found the key "${key}", expected only what this build can do`,
    ],
  ),
  [
    'TLS on a listener',
    `bootstrap: { listeners: { public: { tls: {} } } }\n${minimal}`,
    ':1:37 bootstrap.listeners.public.tls: found the key "tls", expected only what this build can do (TLS: not in this build)',
  ],
]

describe('names that lead nowhere', () => check(names, 'cross-check'))
describe('upstreams that must not be reached', () => check(upstreams, 'cross-check'))
describe('what binds and runs', () => {
  check(binding.slice(0, 7), 'cross-check')
  check(binding.slice(7, 8), 'schema')
  check(binding.slice(8, 11), 'cross-check')
  check(binding.slice(11), 'schema')
})
describe('an etcd that cannot be asked', () => check(remote, 'schema'))
describe('words that help', () => {
  const slow = words.filter(([what]) => what === 'a fast interval that is slow')
  check(slow, 'cross-check')
  check(
    words.filter((one) => !slow.includes(one)),
    'schema',
  )
})
describe('what is designed, but not in this build', () => check(later, 'unsupported'))

describe('several faults', () => {
  const text = `bootstrap:
  listeners: { public: { address: 8080 } }
versions:
  v1: { url: "http://127.0.0.1:3001" }
  v2: { urll: "http://127.0.0.1:3002" }
  stable: { url: "http://127.0.0.1:3003" }
stable: v9
timeouts: { connect: 5, head: 1d }
routes:
  - { name: a, to: v2 }
  - { name: a, to: nobody }
  - { name: b, to: v1, fallback: v1, match: { method: get } }
cach: {}
`
  test('of form and of rules are told at once, in the order of the text', () => {
    assert.deepEqual(
      faultsOf(text).map((fault) => `${fault.line}:${fault.path}:${fault.reason}`),
      [
        '2:bootstrap.listeners.public.address:schema',
        '5:versions.v2.urll:schema',
        '6:versions.stable:cross-check',
        '7:stable:cross-check',
        '8:timeouts.connect:schema',
        '8:timeouts.head:schema',
        '11:routes[1].name:cross-check',
        '11:routes[1].to:cross-check',
        '12:routes[2].match.method:schema',
        '13:cach:schema',
      ],
    )
  })

  test('by the thousand are told in part, with their number, without delay', { timeout: 10_000 }, () => {
    const faults = faultsOf(`${minimal}${Array.from({ length: 5_000 }, (_, index) => `wrong${index}: 1\n`).join('')}`)
    assert.equal(faults.length, 201)
    assert.equal(faults.at(-1)?.found, '4800 more faults')
  })

  test('of syntax are told at once', () => {
    const faults = faultsOf('a: 1\na: 2\nb: {c: 1, c: 2}\nd: *none\n')
    assert.deepEqual(
      faults.map((fault) => [fault.line, fault.column]),
      [
        [2, 1],
        [3, 11],
        [4, 4],
      ],
    )
  })
})

test('ports of loopback addresses that differ, and port 0, do not clash', () => {
  parse(`bootstrap: { listeners: { public: { address: "127.0.0.1:80" }, metrics: { address: "127.0.0.2:80" } } }\n${minimal}`)
  parse(`bootstrap: { listeners: { public: { address: ":0" }, metrics: { address: ":0" } } }\n${minimal}`)
})

test('what is allowed may be reached', () => {
  for (const [allowed, endpoint] of [
    ['10.0.0.0/8', 'url: "http://10.9.8.7:80"'],
    ['127.0.0.0/8', 'url: "http://127.0.0.1:80"'],
    ['10.9.8.7', 'url: "http://10.9.8.7:80"'],
    ['App2.internal', 'url: "http://app2.INTERNAL:80"'],
    ['"fd00::/8"', 'url: "http://[fd00::1]:80"'],
    ['localhost', 'url: "http://localhost:80"'],
    ['unix', 'socket: /run/a.sock'],
  ]) {
    parse(`bootstrap: { allowUpstreams: [${allowed}] }\nversions: { v1: { ${endpoint} } }\nstable: v1\n`)
  }
})

test('BATON_STATE of a length that no socket can have is a fault of the configuration', () => {
  const faults = faultsOf(minimal, (text) => parse(text, { ...options, stateOverride: `/${long}` }))
  assert.equal(faults[0]?.path, 'bootstrap.state')
})
