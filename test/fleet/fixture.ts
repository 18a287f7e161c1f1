/** What the tests of the fleet share: a record, and a store on a real etcd. */
import type { TestContext } from 'node:test'
import { EtcdGateway } from '../../src/config/etcd/gateway.ts'
import type { Store } from '../../src/config/etcd/store.ts'
import type { Limits } from '../../src/config/settings.ts'
import type { OwnUpgrade } from '../../src/fleet/follower.ts'
import type { InstanceRecord } from '../../src/fleet/record.ts'
import { realWorld } from '../../src/world.ts'

export const prefix = '/baton/shop'

export function storeAt(t: TestContext, url: string): Store {
  const store = new EtcdGateway({ endpoints: [url], login: null, tls: null }, realWorld)
  t.after(() => store.close())
  return store
}

export const limits: Limits = {
  listeners: { public: { address: { is: 'tcp', host: '0.0.0.0', port: 8080 } }, metrics: { address: { is: 'unix', path: '/run/m.sock' } } },
  admin: null,
  redis: null,
  state: '/var/lib/baton',
  allowUpstreams: ['loopback', 'unix'],
  processes: { blue: { port: 3001 } },
  retirements: { asked: { is: 'signal' } },
}

export const record: InstanceRecord = {
  id: 'shop-1',
  build: '0.1.0',
  pid: 4711,
  startedAt: Date.UTC(2026, 10, 24, 12),
  revision: 7,
  hash: 'abc',
  refused: null,
  stale: null,
  roles: { stable: 'v1', candidate: null },
  upgrade: null,
  ready: true,
  whyNotReady: null,
  limits,
}

/** Of an instance that no upgrade is about. */
export const noUpgrade: OwnUpgrade = {
  standing: () => ({ upgrade: null, isLed: false, stable: 'v1', configuredStable: 'v1', evidence: null }),
  join: () => Promise.reject(new Error('no upgrade is expected here')),
  promote: () => Promise.reject(new Error('no upgrade is expected here')),
  rollBack: () => Promise.reject(new Error('no upgrade is expected here')),
}
