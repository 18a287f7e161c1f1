/** A gateway to an etcd, closed after the test, and a watcher that writes down what it is told. */
import type { TestContext } from 'node:test'
import { EtcdGateway, type GatewaySettings, type GatewayTimeouts } from '../../../src/config/etcd/gateway.ts'
import type { WatchEvent, Watcher } from '../../../src/config/etcd/store.ts'
import { realWorld } from '../../../src/world.ts'
import { until } from '../../kit/until.ts'

type Given = Partial<Omit<GatewaySettings, 'timeouts'>> & { readonly timeouts?: Partial<GatewayTimeouts> }

/** Asks the first endpoint first. */
export function gatewayTo(t: TestContext, endpoints: readonly string[], given: Given = {}): EtcdGateway {
  const gateway = new EtcdGateway({ endpoints, login: null, tls: null, ...given }, { ...realWorld, random: () => 0 })
  t.after(() => gateway.close())
  return gateway
}

export interface Watched extends Watcher {
  /** `put KEY=VALUE`, `delete KEY`; those of one revision in one list. */
  readonly told: string[][]
  readonly revisions: number[]
  readonly ends: { readonly is: string; readonly reason: string }[]
  untilTold(count: number): Promise<void>
  untilEnded(): Promise<{ readonly is: string; readonly reason: string }>
}

export function watched(): Watched {
  const told: string[][] = []
  const revisions: number[] = []
  const ends: { readonly is: string; readonly reason: string }[] = []
  const said = (event: WatchEvent): string => (event.is === 'put' ? `put ${event.entry.key}=${event.entry.value}` : `delete ${event.key}`)
  return {
    told,
    revisions,
    ends,
    changed(events) {
      told.push(events.map(said))
      revisions.push(...events.map((event) => (event.is === 'put' ? event.entry.revision : event.revision)))
    },
    ended: (why) => void ends.push(why),
    async untilTold(count) {
      await until(
        () => told.flat().length >= count,
        () => `${count} changes; told ${JSON.stringify(told).slice(0, 500)}, ended ${JSON.stringify(ends)}`,
      )
    },
    untilEnded: () =>
      until(
        () => ends[0] ?? null,
        () => `no end; told ${told.length}`,
      ),
  }
}
