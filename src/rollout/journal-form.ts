/** From what a file of the journal holds to the ledger and its entries, or an Error that says what is wrong: nothing is guessed. */
import type { Evidence } from './evidence.ts'
import type { JournalEntry } from './journal.ts'
import { JournalFields } from './journal-fields.ts'
import type { Ledger } from './ledger.ts'
import type { Plan, PlanStep } from './plan.ts'
import type { Cause, Phase, Pid, Place, ShiftMode, Upgrade } from './upgrade.ts'
import { isUpgradeId } from './upgrade-id.ts'

const phases: readonly Phase[] = [
  'precheck',
  'start-new',
  'health-check',
  'warm',
  'hold',
  'release',
  'done',
  'shift',
  'stop-old',
  'rollback',
  'rolled-back',
  'failed',
]
const causes: readonly Cause['code'][] = [
  'ordered',
  'precheck-failed',
  'start-failed',
  'not-ready-in-time',
  'warm-failed',
  'candidate-lost',
  'verdict',
  'drain-failed',
  'stop-failed',
  'old-lost',
]
const actors: readonly Cause['by'][] = ['operator', 'plan', 'engine', 'configuration', 'fleet']

export function readLedger(text: string): Ledger {
  const value: unknown = JSON.parse(text)
  const fields = new JournalFields(value, 'ledger')
  if (fields.figure('v') !== 1) fields.refuse('v', '1, the format that this build knows')
  return {
    v: 1,
    stable: fields.text('stable'),
    configuredStable: fields.text('configuredStable'),
    retired: fields.texts('retired'),
    drained: fields.texts('drained'),
    spare: fields.orNull('spare', (key) => {
      const spare = fields.part(key)
      return { version: spare.text('version'), until: spare.figure('until') }
    }),
    upgrade: fields.orNull('upgrade', (key) => upgradeOf(fields.part(key))),
  }
}

export function readEntry(line: string): JournalEntry {
  const value: unknown = JSON.parse(line)
  const fields = new JournalFields(value, 'entry')
  const requests = fields.part('requests')
  return {
    at: fields.figure('at'),
    seq: fields.figure('seq'),
    phase: fields.oneOf('phase', phases),
    event: fields.text('event'),
    upgrade: upgradeOf(fields.part('upgrade')),
    requests: Object.fromEntries(requests.keys().map((version) => [version, requests.figure(version)])),
    evidence: evidenceOf(fields),
  }
}

/** Written by this build's own types; one of an older build has none, or is passed over by who explains it. */
function evidenceOf(fields: JournalFields): Evidence | null {
  return fields.anything('evidence') as Evidence | null
}

function upgradeOf(fields: JournalFields): Upgrade {
  const id = fields.text('id')
  if (!isUpgradeId(id)) fields.refuse('id', 'the name of an upgrade')
  const plan = planOf(fields.part('plan'))
  return {
    id,
    from: fields.text('from'),
    to: fields.text('to'),
    plan,
    ours: fields.flag('ours'),
    led: fields.anything('led') === true,
    oldPid: pidOf(fields.anything('oldPid')),
    seq: fields.figure('seq'),
    beganAt: fields.figure('beganAt'),
    phaseSince: fields.figure('phaseSince'),
    since: fields.figure('since'),
    ...placeOf(fields, plan),
  }
}

/** One of an older build has none. */
function pidOf(value: unknown): Pid | null {
  return typeof value === 'number' || typeof value === 'string' ? value : null
}

function placeOf(fields: JournalFields, plan: Plan): Place {
  const phase = fields.oneOf('phase', phases)
  switch (phase) {
    case 'shift': {
      const step = fields.figure('step')
      if (plan.steps[step] === undefined) fields.refuse('step', 'a step of the plan')
      return { phase, step, mode: modeOf(fields.part('mode')), degrades: fields.figure('degrades') }
    }
    case 'stop-old':
      return { phase, todo: fields.oneOf('todo', ['drain', 'stop']), frozen: fields.orNull('frozen', (key) => causeOf(fields.part(key))) }
    case 'rollback':
      return { phase, todo: fields.oneOf('todo', ['restart-old', 'release', 'drain', 'stop']), why: causeOf(fields.part('why')) }
    case 'rolled-back':
    case 'failed':
      return { phase, why: causeOf(fields.part('why')) }
    default:
      return { phase }
  }
}

function modeOf(fields: JournalFields): ShiftMode {
  const is = fields.oneOf('is', ['running', 'paused', 'degraded'])
  if (is === 'degraded') return { is, forMs: fields.figure('forMs'), wasPaused: fields.flag('wasPaused') }
  return is === 'running' ? { is } : { is, by: fields.oneOf('by', actors) }
}

function causeOf(fields: JournalFields): Cause {
  return { code: fields.oneOf('code', causes), detail: fields.text('detail'), by: fields.oneOf('by', actors) }
}

function planOf(fields: JournalFields): Plan {
  const steps = fields.parts('steps').map(planStepOf)
  const strategy = fields.oneOf('strategy', ['shift', 'exclusive'])
  if (steps.length === 0 && strategy === 'shift') fields.refuse('steps', 'a list of at least one step')
  return {
    name: fields.text('name'),
    strategy,
    steps,
    readyTimeoutMs: fields.figure('readyTimeoutMs'),
    retireAfterMs: fields.figure('retireAfterMs'),
  }
}

function planStepOf(fields: JournalFields): PlanStep {
  return {
    is: fields.oneOf('is', ['header-only', 'weight', 'bake']),
    weight: fields.figure('weight'),
    forMs: fields.figure('forMs'),
    minRequests: fields.figure('minRequests'),
    manual: fields.flag('manual'),
  }
}
