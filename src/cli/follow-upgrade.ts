/**
 * `--wait`: an upgrade from where it stands to its end. It looks at each event of the upgrade, and each second besides; baton may go away
 * and come back meanwhile, since the upgrade does too.
 */
import { BatonError, type ExitCode, exitCode } from '../errors.ts'
import type { Upgrade } from '../rollout/upgrade.ts'
import type { Level, Verdict } from '../rollout/verdict.ts'
import { pause, type World } from '../world.ts'
import type { AdminAddress } from './admin-address.ts'
import { ask, follow } from './admin-client.ts'
import { part } from './answer.ts'
import type { Context } from './command.ts'
import { keptPromise } from './kept-promise.ts'
import { isUnreachable, patiently } from './patiently.ts'
import { isUpgrade, nameOf, placeOf, upgradeIn, upgradeLine } from './upgrade-text.ts'
import { levelText, verdictLine, verdictOn } from './verdict-text.ts'

const lookMs = 1_000
/** A live line that a narrow terminal breaks could not be drawn over. */
const lineWidth = 79

/** @throws BatonError `unreachable` once baton has not answered for long. */
export async function followUpgrade(begun: Upgrade, address: AdminAddress, context: Context): Promise<ExitCode> {
  const { world } = context
  const show = context.isScreen ? liveLine(context) : plainLines(context)
  const changes = changesOf(begun.id, address, world)
  for (let seen: Seen = { upgrade: begun, verdict: null }; ; seen = await patiently(() => look(begun.id, address), world)) {
    const code = endOf(seen.upgrade)
    show(seen, code !== null)
    if (code === exitCode.done) return await keptPromise(begun.id, () => patiently(() => explain(begun.id, address), world), context)
    if (code !== null) return code
    await changes.next()
  }
}

/** Null while it goes on by itself. */
function endOf(upgrade: Upgrade): ExitCode | null {
  switch (upgrade.phase) {
    case 'done':
      return exitCode.done
    case 'rolled-back':
      return exitCode.rolledBack
    case 'failed':
      return exitCode.failed
    case 'stop-old':
      return upgrade.frozen === null ? null : exitCode.unfinished
    default:
      return null
  }
}

interface Seen {
  readonly upgrade: Upgrade
  /** On its new version; null where there is none. */
  readonly verdict: Verdict | null
}

type Show = (seen: Seen, isLast: boolean) => void

/** One line, drawn again and again. */
function liveLine({ world, print }: Context): Show {
  return ({ upgrade, verdict }, isLast) => {
    const breach = verdict === null || verdict.level === null ? '' : `, ${levelText(verdict.level)}`
    const line = `${upgradeLine(upgrade, world.now())}${breach}`
    print(`\r\u001b[K${isLast ? `${line}\n` : line.slice(0, lineWidth)}`)
  }
}

/** A line each time that it has moved, and each time that a breach begins, rises or ends. */
function plainLines({ print }: Context): Show {
  let before = { place: '', level: null as Level | null }
  return ({ upgrade, verdict }) => {
    const now = { place: placeOf(upgrade), level: verdict?.level ?? null }
    if (now.place !== before.place) print(`${nameOf(upgrade)}  ${now.place}\n`)
    if (verdict !== null && now.level !== before.level) print(`${nameOf(upgrade)}  ${verdictLine(verdict)}\n`)
    before = now
  }
}

/** As the status tells it; from the history once another one has begun. */
async function look(id: string, address: AdminAddress): Promise<Seen> {
  const status = await ask(address, { method: 'GET', path: '/v1/status' })
  const upgrade = upgradeIn(status)
  if (upgrade?.id === id) return { upgrade, verdict: verdictOn(upgrade, part(status, 'analysis')) }
  const entries = part(await explain(id, address), 'entries')
  const last = Array.isArray(entries) ? part(entries.at(-1), 'upgrade') : undefined
  if (isUpgrade(last)) return { upgrade: last, verdict: null }
  throw new BatonError('unreachable', `baton knows nothing more of upgrade ${id}`)
}

/** All of it: the receipt, and the journal's entries. */
function explain(id: string, address: AdminAddress): Promise<unknown> {
  return ask(address, { method: 'GET', path: `/v1/history/${id}` })
}

interface Changes {
  /** At the next event of the upgrade, or after a second. */
  next(): Promise<void>
}

function changesOf(id: string, address: AdminAddress, world: World): Changes {
  let seen = false
  let wake = (): void => undefined
  const listen = async (): Promise<void> => {
    for (;;) {
      try {
        for await (const event of follow(address, '/v1/events')) {
          if (part(event, 'upgrade_id') !== id) continue
          seen = true
          wake()
        }
      } catch (error) {
        // The looks go on without events, and they tell when baton is gone.
        if (!isUnreachable(error)) return
      }
      await pause(world, lookMs)
    }
  }
  void listen()
  return {
    async next() {
      if (!seen) {
        await new Promise<void>((done) => {
          wake = done
          world.after(lookMs, done)
        })
      }
      seen = false
    },
  }
}
