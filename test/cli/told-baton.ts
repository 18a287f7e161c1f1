/** The admin API of a baton that upgrades, without the baton: real handlers on a real socket, over states that a test writes down. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerJson } from '../../src/admin/answer.ts'
import { eventStream } from '../../src/admin/event-stream.ts'
import { type Outcome, rolloutEndpoints } from '../../src/admin/rollout-api.ts'
import type { Place, Upgrade } from '../../src/rollout/upgrade.ts'
import { Events } from '../../src/telemetry/events.ts'
import { realWorld } from '../../src/world.ts'
import { rolloutControl } from '../admin/rollout-control.ts'
import { type Served, serveEndpoints } from '../admin/served.ts'

export const id = 'upg-20261124-ab12'

const step = (is: 'header-only' | 'weight' | 'bake', weight: number) => ({ is, weight, forMs: 90_000, minRequests: 0, manual: false })
export const plan: Upgrade['plan'] = {
  name: 'default',
  strategy: 'shift',
  steps: [step('header-only', 0), { ...step('weight', 2.5), minRequests: 20 }, { ...step('weight', 50), manual: true }, step('bake', 100)],
  readyTimeoutMs: 30_000,
  retireAfterMs: 0,
}

export function upgradeAt(place: Place, parts: Partial<Omit<Upgrade, keyof Place>> = {}): Upgrade {
  const now = Date.now()
  return {
    id,
    from: 'v1',
    to: 'v2',
    plan,
    ours: true,
    led: false,
    oldPid: 4_001,
    seq: 1,
    beganAt: now,
    phaseSince: now,
    since: now,
    ...parts,
    ...place,
  }
}

export const shiftAt = (at: number, parts: Partial<Omit<Upgrade, keyof Place>> = {}): Upgrade =>
  upgradeAt({ phase: 'shift', step: at, mode: { is: 'running' }, degrades: 0 }, parts)

export interface ToldBaton {
  readonly socket: string
  /** Orders that came in. */
  readonly calls: unknown[][]
  /** Answer to the next orders. */
  outcome: Outcome
  /** What the next looks at the status see, one each; the last one stays. Each move is told by an event. */
  states: Upgrade[]
  /** What the status says of the analysis. */
  analysis: object | null
  explained: { readonly receipt: object | null; readonly entries: readonly object[] } | null
  readonly events: Events
  /** Called at each look at the status, before its answer. */
  onLook: () => void
  /** As if baton were killed. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

export async function startToldBaton(): Promise<ToldBaton> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-told-'))
  const socket = join(folder, 'admin.sock')
  const events = new Events()
  let served: Served | null = null
  const { calls, control } = rolloutControl(
    () => baton.outcome,
    () => baton.explained,
  )
  const endpoints = {
    ...rolloutEndpoints(control),
    'GET /v1/events': eventStream(events, realWorld),
    'GET /v1/status': (_: unknown, response: Parameters<typeof answerJson>[0]) => {
      baton.onLook()
      answerJson(response, 200, { ...statusBesides, upgrade: baton.states[0] ?? null, analysis: baton.analysis })
      if (baton.states.length < 2) return
      baton.states = baton.states.slice(1)
      events.take({ time: new Date().toISOString(), level: 'info', event: 'upgrade.phase', fields: { upgrade_id: id } })
    },
  }
  const baton: ToldBaton = {
    socket,
    calls,
    outcome: { is: 'accepted', upgrade: null },
    states: [],
    analysis: null,
    explained: { receipt: { cut: 0, failed: 0 }, entries: [] },
    events,
    onLook: () => undefined,
    async down() {
      await served?.close()
      rmSync(socket, { force: true })
    },
    async up() {
      served = await serveEndpoints(endpoints, socket)
    },
    async close() {
      await served?.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await baton.up()
  return baton
}

const statusBesides = {
  baton: {
    version: '0.0.0',
    pid: 1,
    keeperPid: 1,
    keeperLost: false,
    startedAt: new Date().toISOString(),
    whyNotReady: null,
    leaving: false,
  },
  config: { source: 'baton.yaml', revision: 1, appliedAt: '', stale: null, lastFault: null, needsGeneration: [] },
  roles: { stable: 'v1', candidate: 'v2' },
  versions: [],
  idle: [],
}
