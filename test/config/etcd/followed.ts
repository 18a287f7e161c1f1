/** A live configuration that follows a key of a real etcd, and what it took from there. */
import type { TestContext } from 'node:test'
import { EtcdSource } from '../../../src/config/etcd/etcd-source.ts'
import type { Store } from '../../../src/config/etcd/store.ts'
import type { Remote } from '../../../src/config/last-good.ts'
import type { LiveParts, Outcome } from '../../../src/config/live.ts'
import { realWorld } from '../../../src/world.ts'
import { until } from '../../kit/until.ts'
import { options } from '../fixture.ts'
import { liveWith, loaded, type Told } from '../live-fixture.ts'

export const prefix = '/app'
export const key = `${prefix}/config`

/** A dynamic half that can be told from others by `n`. */
export function configText(n: number): string {
  return `versions: { v1: { url: "http://127.0.0.1:3001" } }\nstable: v1\ntimeouts: { connect: ${n}ms }\n`
}

/** What the file says where etcd has the say: n is 1. */
export const fileText = `bootstrap: { config: { etcd: { endpoints: ["http://127.0.0.1:2379"], prefix: ${prefix} } } }\n${configText(1)}`

export interface Following extends Told {
  readonly source: EtcdSource
  /** The n of each text that was swapped in, and the revision that it came with. */
  readonly taken: { readonly n: number; readonly revision: number }[]
  readonly outcomes: Outcome['is'][]
  /** Messages, without their reasons. */
  readonly warned: string[]
  /** Resolves when the text of this n runs. */
  untilRuns(n: number): Promise<void>
}

export interface FollowOptions extends Pick<LiveParts, 'veto'> {
  readonly readMs?: number
  readonly first?: Remote
}

export function follow(t: TestContext, store: Pick<Store, 'get' | 'watch'>, given: FollowOptions = {}): Following {
  const { readMs = 10_000, first = null, ...more } = given
  const told = liveWith({ ...loaded(fileText), remote: first }, undefined, options, more)
  const { live } = told
  const taken: { readonly n: number; readonly revision: number }[] = []
  const outcomes: Outcome['is'][] = []
  const warned: string[] = []
  live.follow((now) => taken.push({ n: now.dynamic.timeouts.connectMs, revision: now.revision }))
  const source = new EtcdSource({
    store,
    key,
    live,
    world: realWorld,
    warn: (message) => void warned.push(message),
    onOutcome: ({ is }) => void outcomes.push(is),
    readMs,
    retryMs: 20,
  })
  t.after(() => source.stop())
  const running = (): number => live.current().dynamic.timeouts.connectMs
  const untilRuns = async (n: number): Promise<void> => {
    await until(
      () => running() === n,
      () => `${n} does not run, ${running()} does; taken ${JSON.stringify(taken.slice(-5))}, warned ${warned}`,
    )
  }
  return { ...told, source, taken, outcomes, warned, untilRuns }
}
