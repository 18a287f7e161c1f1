/** What the tests of the configuration share: parsing without a file, and a document that uses every key. */
import assert from 'node:assert/strict'
import { type Config, parseConfig } from '../../src/config/parse.ts'
import type { ParseOptions } from '../../src/config/settle.ts'
import { ConfigError, type ConfigFault } from '../../src/errors.ts'

export const options: ParseOptions = { folder: '/etc/baton', workingFolder: '/srv', stateOverride: undefined }

export function parse(text: string, given: ParseOptions = options): Config {
  return parseConfig(text, 'baton.yaml', given)
}

/** The faults of a text that must have some. */
export function faultsOf(text: string, read: (text: string) => unknown = parse): readonly ConfigFault[] {
  try {
    read(text)
  } catch (error) {
    assert.ok(error instanceof ConfigError, `not a ConfigError: ${error}`)
    assert.ok(error.faults.length > 0)
    return error.faults
  }
  assert.fail(`accepted:\n${text}`)
}

export const minimal = `versions:
  v1: { url: "http://127.0.0.1:3001" }
stable: v1
`

/** Uses every key of the schema, in each of its forms; schema-coverage.test.ts holds it to that. */
export const everyKey = {
  bootstrap: {
    listeners: {
      public: { address: '0.0.0.0:8080', trustedHops: ['10.0.0.0/8'] },
      metrics: { address: '[::1]:9902', trustedHops: [] },
    },
    admin: { address: '127.0.0.1:9901', tokenFile: 'token' },
    config: {
      etcd: {
        endpoints: ['https://etcd-0:2379', 'https://10.1.0.2:2379'],
        prefix: '/baton/shop',
        user: 'baton',
        passwordFile: 'etcd.password',
        tls: { ca: 'ca.pem', cert: 'baton.pem', key: 'baton.key' },
        instance: 'shop-1',
      },
    },
    redis: {
      sentinels: {
        master: 'shop',
        addresses: ['sentinel-0:26379', '10.1.0.3'],
        database: 2,
        user: 'watcher',
        passwordFile: 'sentinel.password',
      },
      user: 'baton',
      passwordFile: 'redis.password',
      tls: { ca: 'redis-ca.pem', cert: 'redis.pem', key: 'redis.key', serverName: 'redis.internal' },
      gateways: {
        v1: { address: '127.0.0.1:6391' },
        v2: { address: 'unix:/run/app/redis-v2.sock', mode: '0660' },
      },
      names: 'warm-names.txt',
    },
    state: '.baton',
    allowUpstreams: ['loopback', 'unix', '10.1.0.0/16', 'app2'],
    processes: {
      one: { command: ['node', 'app.js'], port: 3001, env: { MODE: 'live' }, cwd: 'app', output: 'inherit', stopTimeout: '10s' },
      two: { command: ['node'], port: 3002, output: { file: 'two.log' } },
    },
    retirements: {
      asked: { signal: { pidFile: 'app.pid', name: 'SIGQUIT', stopTimeout: '20s', kill: true } },
      told: { http: { url: 'http://127.0.0.1:3009/shutdown?now=1', method: 'PUT', timeout: '3s' } },
    },
    webhooks: {
      ops: { url: 'https://hooks.invalid/ops', secretFile: 'ops.secret', events: ['upgrade.phase', 'upgrade.concluded'] },
      audit: { url: 'http://127.0.0.1:9000/', secretFile: '/run/audit.secret', events: 'all' },
    },
    log: { format: 'json', level: 'debug' },
    stack: 'node',
  },
  versions: {
    v1: { process: 'one' },
    v2: {
      url: 'http://app2:3000',
      push: '/baton/cache',
      health: {
        http: '/ready',
        host: 'app',
        interval: '3s',
        fastInterval: '100ms',
        timeout: '1s',
        successThreshold: 1,
        failureThreshold: 3,
        passiveFailures: 0,
      },
    },
    v3: { socket: '/run/app.sock', health: { tcp: true }, retire: 'told' },
  },
  health: {
    http: '/healthz',
    host: 'all',
    interval: '10s',
    fastInterval: '500ms',
    timeout: '2s',
    successThreshold: 3,
    failureThreshold: 4,
    passiveFailures: 6,
  },
  stable: 'v1',
  candidate: 'v2',
  routes: [
    {
      name: 'all-conditions',
      match: {
        headers: {
          'x-a': 'text',
          'x-b': { exact: 'e' },
          'x-c': { prefix: 'p' },
          'x-d': { suffix: 's' },
          'x-e': { contains: 'c' },
          'x-f': { regex: 'r+' },
          'x-g': { oneOf: ['1', '2'] },
          'x-h': { present: true, invert: true },
        },
        path: { exact: '/e' },
        method: 'GET',
        host: 'example.com',
        query: { q: 'text' },
        cookies: { c: 'text' },
        client: '10.0.0.0/8',
      },
      to: 'v2',
      fallback: 'stable',
      set: { 'x-set': 'value' },
      only: { cidrs: ['192.168.0.0/16'] },
    },
    {
      name: 'alternatives',
      match: [{ path: { prefix: '/api' }, method: ['GET', 'POST'] }, { path: { regex: '/v[0-9]+' }, client: ['::1'] }, { path: '/p' }],
      split: { stable: 95, v2: 5 },
    },
  ],
  sticky: { cookie: 'uid', or: { header: 'x-user-id' } },
  timeouts: {
    connect: '1s',
    head: '2s',
    idle: '3s',
    exchange: '4s',
    keepAlive: '5s',
    requestHead: '6s',
    upstreamKeepAlive: '7s',
  },
  limits: {
    headerBytes: '16KiB',
    headerCount: 100,
    uriBytes: 4096,
    bodyBytes: '1MiB',
    exchanges: 10,
    queue: 20,
    queueTimeout: '8s',
    connections: 30,
    upstreamConnections: 40,
  },
  retry: { budget: '12.5%', min: 1, replayBytes: '1KiB' },
  drain: { endpointDelay: '9s', deadline: '11s', grace: '4s', streams: '6s', websockets: '7s', idle: '2s' },
  rollout: {
    plan: 'careful',
    plans: {
      careful: {
        strategy: 'shift',
        steps: [
          { headerOnly: true, manual: true },
          2.5,
          { weight: 50, for: '5m', minRequests: 20, manual: false },
          { bake: true, for: '10m' },
        ],
        readyTimeout: '40s',
        retireAfter: '10m',
      },
      short: { steps: ['header-only', 'bake'] },
      alone: { strategy: 'exclusive' },
    },
    analysis: {
      enabled: false,
      candidateWindow: '30s',
      stableWindow: '2m',
      grace: '20s',
      errorRate: { required: false, dryRun: true, minRequests: 50, factor: 2.5, floor: '0.5%' },
      latency: { required: false, dryRun: true, minRequests: 200, add: '90ms' },
      cpu: { required: false, dryRun: true, share: '75%', for: '20s' },
      degrade: { for: '10s', max: 1 },
      escalate: '2m',
      hardStops: { errorRate: '50%', notReady: '30s', exit: false },
      onNoData: 'rollback',
    },
  },
  cache: {
    prefixes: ['catalogue:', 'prices:'],
    tracking: 'keys',
    staleness: '500ms',
    consistency: 'causal',
    memory: '32MiB',
    maxValue: '128KiB',
    maxFields: 100,
    maxAge: '1m',
    absent: { memory: '2MiB', maxAge: '10s' },
    refresh: { every: '200ms', perSecond: 500 },
    warm: {
      from: ['other-version', 'hot-names', { scan: 'catalogue:*' }, 'file'],
      batch: 32,
      rate: 5_000,
      deadline: '20s',
      target: { keys: 50_000, bytes: '16MiB', predicted: '90%' },
      require: '80%',
      rename: [{ from: 'catalogue:v1:', to: 'catalogue:v2:' }],
    },
    hotNames: { key: 'baton:shop:hot:', every: '10s', ttl: '2h', top: 500 },
    push: { lease: '2s', batch: 128, timeout: '500ms' },
  },
  accessLog: { sample: 0.5 },
  servedBy: false,
} as const
