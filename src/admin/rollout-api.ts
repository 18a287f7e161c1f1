/**
 * The upgrade's part of the admin API. Each order said twice happens once: the second answer is the first one's, as `unchanged`. That holds of
 * a promote that says which step it means; without that, each ends the step that it finds.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerError, answerJson, bodyText, type Handler } from './answer.ts'
import type { Endpoints } from './http-server.ts'

export type UpgradeOrder = 'pause' | 'resume' | 'rollback'

export type Outcome =
  /** `upgrade`: the one under way, or the last one; null if there was none yet. */
  | { readonly is: 'accepted' | 'unchanged'; readonly upgrade: object | null }
  /** Nothing was changed. */
  | { readonly is: 'refused'; readonly reason: string }
  /** Of a version, a plan or an upgrade that is not there: `version v9`. */
  | { readonly is: 'unknown'; readonly what: string }

export interface RolloutControl {
  /** `plan`: null for the configured one. */
  begin(to: string, plan: string | null): Promise<Outcome>
  order(order: UpgradeOrder): Promise<Outcome>
  /** `step`: the one that is meant, counted from 0 as the status does; null: whichever it is. */
  promote(step: number | null): Promise<Outcome>
  stable(name: string): Promise<Outcome>
  drain(name: string, force: boolean): Promise<Outcome>
  undrain(name: string): Promise<Outcome>
  retire(name: string, force: boolean): Promise<Outcome>
  hold(): Promise<Outcome>
  release(): Promise<Outcome>
  /** The newest first. */
  history(): Promise<readonly object[]>
  /** Null if there is no such upgrade. */
  explain(id: string): Promise<{ readonly receipt: object | null; readonly entries: readonly object[] } | null>
}

const maxBodyBytes = 65_536
const historyPath = '/v1/history/'

export function rolloutEndpoints(control: RolloutControl): Endpoints {
  return {
    'POST /v1/upgrade': ordered('to', (to, { plan }) => control.begin(to, plan), 202),
    'POST /v1/promote': ordered(null, (_, { step }) => control.promote(step)),
    'POST /v1/pause': ordered(null, () => control.order('pause')),
    'POST /v1/resume': ordered(null, () => control.order('resume')),
    'POST /v1/rollback': ordered(null, () => control.order('rollback')),
    'POST /v1/stable': ordered('version', (version) => control.stable(version)),
    'POST /v1/drain': ordered('version', (version, { force }) => control.drain(version, force)),
    'POST /v1/undrain': ordered('version', (version) => control.undrain(version)),
    'POST /v1/retire': ordered('version', (version, { force }) => control.retire(version, force)),
    'POST /v1/hold': ordered(null, () => control.hold()),
    'POST /v1/release': ordered(null, () => control.release()),
    'GET /v1/history': async (_, response) => answerJson(response, 200, { upgrades: await control.history() }),
    [`GET ${historyPath}*`]: async (request, response) => {
      const id = idIn(request)
      const found = id === null ? null : await control.explain(id)
      if (found === null) answerError(response, 404, 'unknown', `there is no upgrade ${id ?? 'of that name'}; "baton history" lists them`)
      else answerJson(response, 200, found)
    },
  }
}

/** What an order may say. */
interface Words {
  readonly to: string | null
  readonly plan: string | null
  readonly version: string | null
  readonly force: boolean
  readonly step: number | null
}

/** `needs`: the word without which there is no order; `act` gets it first. */
function ordered(needs: 'to' | 'version' | null, act: (name: string, words: Words) => Promise<Outcome>, acceptedStatus = 200): Handler {
  return async (request, response) => {
    const words = await wordsOf(request)
    if (typeof words === 'string') return answerError(response, 400, 'order', words)
    const name = needs === null ? '' : words[needs]
    if (name === null) return answerError(response, 400, 'order', `expected JSON with "${needs}", a name`)
    answerOutcome(response, await act(name, words), acceptedStatus)
  }
}

function answerOutcome(response: ServerResponse, outcome: Outcome, acceptedStatus: number): void {
  switch (outcome.is) {
    case 'accepted':
      return answerJson(response, acceptedStatus, outcome)
    case 'unchanged':
      return answerJson(response, 200, outcome)
    case 'refused':
      return answerError(response, 409, 'refused', outcome.reason)
    case 'unknown':
      return answerError(response, 404, 'unknown', `there is no ${outcome.what}`)
  }
}

/** The order's words, or what is wrong with them. An empty body says nothing. */
async function wordsOf(request: IncomingMessage): Promise<Words | string> {
  const text = await bodyText(request, maxBodyBytes)
  if (text === null) return `an order has at most ${maxBodyBytes} bytes`
  const body = text === '' ? {} : parsed(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'expected a JSON object, or no body'
  const { to, plan, version, force = false, step = null } = body as Record<string, unknown>
  const wrong = Object.entries({ to, plan, version }).find(([, value]) => !isName(value))
  if (wrong !== undefined) return `"${wrong[0]}" must be a name`
  if (typeof force !== 'boolean') return '"force" must be true or false'
  if (step !== null && !isStep(step)) return '"step" must be the number of a step, counted from 0'
  return { to: nameOf(to), plan: nameOf(plan), version: nameOf(version), force, step }
}

function isName(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value !== '' && value.length <= 256)
}

function isStep(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function nameOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // not JSON: the caller says what was expected
    return null
  }
}

/** Null for what no upgrade can be called: an id becomes the name of a file. */
function idIn(request: IncomingMessage): string | null {
  const [path = ''] = (request.url ?? '').split('?')
  const id = path.slice(historyPath.length)
  return /^[\w-]{1,64}$/.test(id) ? id : null
}
