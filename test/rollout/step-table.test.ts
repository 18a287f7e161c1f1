/** Every place × every event, for both strategies, against tables that were written by hand. What a table does not name changes nothing. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { step } from '../../src/rollout/step.ts'
import type { Place } from '../../src/rollout/upgrade.ts'
import { actionText, events, eventText, places, placeText, plan, upgradeAt } from './upgrade-fixture.ts'

const shift = `
precheck              | prechecked → start-new; precheck-failed rollback → rolled-back
start-new             | started → health-check; start-failed candidate-lost rollback → rollback drain
health-check          | ready → warm; start-failed not-ready-in-time candidate-lost rollback → rollback drain
warm                  | warmed → shift 0; candidate-lost rollback → rollback drain
shift 0               | step-met promote → shift 1; pause → shift 0 paused; v-degrade → shift 0 degraded; candidate-lost v-rollback rollback → rollback drain
shift 0 paused        | promote → shift 1 paused; resume → shift 0; v-degrade → shift 0 degraded+paused; candidate-lost v-rollback rollback → rollback drain
shift 0 degraded      | restored → shift 0; promote → shift 1; pause → shift 0 degraded+paused; candidate-lost v-rollback rollback → rollback drain
shift 0 degraded+paused| restored → shift 0 paused; promote → shift 1 paused; resume → shift 0 degraded; candidate-lost v-rollback rollback → rollback drain
shift 1               | promote → shift 2; pause → shift 1 paused; v-degrade → shift 1 degraded; candidate-lost v-rollback rollback → rollback drain
shift 1 paused        | promote → shift 2 paused; resume → shift 1; v-degrade → shift 1 degraded+paused; candidate-lost v-rollback rollback → rollback drain
shift 1 degraded      | restored → shift 1; promote → shift 2; pause → shift 1 degraded+paused; candidate-lost v-rollback rollback → rollback drain
shift 1 degraded+paused| restored → shift 1 paused; promote → shift 2 paused; resume → shift 1 degraded; candidate-lost v-rollback rollback → rollback drain
shift 2               | step-met promote → stop-old drain; pause → shift 2 paused; v-degrade → shift 2 degraded; candidate-lost v-rollback rollback → rollback drain
shift 2 paused        | promote → stop-old drain; resume → shift 2; v-degrade → shift 2 degraded+paused; candidate-lost v-rollback rollback → rollback drain
shift 2 degraded      | restored → shift 2; promote → stop-old drain; pause → shift 2 degraded+paused; candidate-lost v-rollback rollback → rollback drain
shift 2 degraded+paused| restored → shift 2 paused; promote → stop-old drain; resume → shift 2 degraded; candidate-lost v-rollback rollback → rollback drain
stop-old drain        | drained → stop-old stop; stop-failed candidate-lost → stop-old drain frozen; rollback → rollback restart-old
stop-old drain frozen | resume → stop-old drain; rollback → rollback restart-old
stop-old stop         | stopped → done; stop-failed candidate-lost → stop-old stop frozen; rollback → rollback restart-old
stop-old stop frozen  | stopped → done; resume → stop-old stop; rollback → rollback restart-old
rollback restart-old  | ready → rollback drain; start-failed not-ready-in-time → stop-old drain frozen
rollback drain        | drained → rollback stop; stop-failed → rolled-back
rollback stop         | stopped stop-failed → rolled-back
done                  |
rolled-back           |
failed                |
`

/** The candidate ran before the upgrade: it is not drained, nor stopped. */
const shiftOfAnother = `
precheck              | prechecked → start-new; precheck-failed rollback → rolled-back
start-new             | started → health-check; start-failed candidate-lost rollback → rolled-back
health-check          | ready → warm; start-failed not-ready-in-time candidate-lost rollback → rolled-back
warm                  | warmed → shift 0; candidate-lost rollback → rolled-back
shift 0               | step-met promote → shift 1; pause → shift 0 paused; v-degrade → shift 0 degraded; candidate-lost v-rollback rollback → rolled-back
shift 0 paused        | promote → shift 1 paused; resume → shift 0; v-degrade → shift 0 degraded+paused; candidate-lost v-rollback rollback → rolled-back
shift 0 degraded      | restored → shift 0; promote → shift 1; pause → shift 0 degraded+paused; candidate-lost v-rollback rollback → rolled-back
shift 0 degraded+paused| restored → shift 0 paused; promote → shift 1 paused; resume → shift 0 degraded; candidate-lost v-rollback rollback → rolled-back
shift 1               | promote → shift 2; pause → shift 1 paused; v-degrade → shift 1 degraded; candidate-lost v-rollback rollback → rolled-back
shift 1 paused        | promote → shift 2 paused; resume → shift 1; v-degrade → shift 1 degraded+paused; candidate-lost v-rollback rollback → rolled-back
shift 1 degraded      | restored → shift 1; promote → shift 2; pause → shift 1 degraded+paused; candidate-lost v-rollback rollback → rolled-back
shift 1 degraded+paused| restored → shift 1 paused; promote → shift 2 paused; resume → shift 1 degraded; candidate-lost v-rollback rollback → rolled-back
shift 2               | step-met promote → stop-old drain; pause → shift 2 paused; v-degrade → shift 2 degraded; candidate-lost v-rollback rollback → rolled-back
shift 2 paused        | promote → stop-old drain; resume → shift 2; v-degrade → shift 2 degraded+paused; candidate-lost v-rollback rollback → rolled-back
shift 2 degraded      | restored → shift 2; promote → stop-old drain; pause → shift 2 degraded+paused; candidate-lost v-rollback rollback → rolled-back
shift 2 degraded+paused| restored → shift 2 paused; promote → stop-old drain; resume → shift 2 degraded; candidate-lost v-rollback rollback → rolled-back
rollback restart-old  | ready → rolled-back; start-failed not-ready-in-time → stop-old drain frozen
`

const exclusive = `
precheck              | prechecked → hold; precheck-failed rollback → rolled-back
hold                  | held → stop-old drain; rollback → rollback release
stop-old drain        | drained → stop-old stop; stop-failed rollback → rollback restart-old
stop-old stop         | stopped → start-new; stop-failed rollback → rollback restart-old
start-new             | started → health-check; start-failed candidate-lost rollback → rollback stop
health-check          | ready → release; start-failed not-ready-in-time candidate-lost rollback → rollback stop
release               | released → done
rollback stop         | stopped → rollback restart-old; stop-failed → failed
rollback restart-old  | ready → rollback release; start-failed not-ready-in-time → failed
rollback release      | released → rolled-back
done                  |
rolled-back           |
failed                |
`

const exclusiveOfAnother = `
hold                  | held → stop-old drain; rollback → rollback release
start-new             | started → health-check; start-failed candidate-lost rollback → rollback restart-old
health-check          | ready → release; start-failed not-ready-in-time candidate-lost rollback → rollback restart-old
`

interface Row {
  readonly place: Place
  /** Event → where it leads. */
  readonly leads: ReadonlyMap<string, string>
}

function rowsOf(table: string): readonly Row[] {
  const lines = table.trim().split('\n')
  return lines.map((line) => {
    const [name = '', cells = ''] = line.split('|').map((part) => part.trim())
    const place = places.find((each) => placeText(each) === name)
    if (place === undefined) throw new Error(`no place ${name}`)
    const leads = cells.split(';').flatMap((cell) => {
      const [from = '', to = ''] = cell.split('→').map((part) => part.trim())
      return from.split(' ').map((event): [string, string] => [event, to])
    })
    return { place, leads: new Map(leads.filter(([event]) => event !== '')) }
  })
}

for (const [name, table, strategy, ours] of [
  ['shift', shift, 'shift', true],
  ['shift to a version that ran already', shiftOfAnother, 'shift', false],
  ['exclusive', exclusive, 'exclusive', true],
  ['exclusive, to a version that ran already', exclusiveOfAnother, 'exclusive', false],
] as const) {
  describe(`the table of ${name}`, () => {
    for (const { place, leads } of rowsOf(table)) {
      test(placeText(place), () => {
        const upgrade = upgradeAt(place, { plan: plan({ strategy }), ours })
        const found = events.filter(({ is }) => is !== 'recovered').map((event) => [eventText(event), step(upgrade, event, 9_000)] as const)
        const moved = found.filter(([, { next }]) => next !== upgrade)
        assert.deepEqual(new Map(moved.map(([event, { next }]) => [event, placeText(next)])), leads)
        for (const [event, { next, actions }] of found) if (next === upgrade) assert.deepEqual(actions, [], `${event} changes nothing`)
      })
    }
  })
}

describe('a place asks for the same at its entry, and after a crash for what a crash may have undone as well', () => {
  const asked: Readonly<Record<'shift' | 'exclusive', string>> = {
    shift: `
precheck              | route, precheck
start-new             | route, start v2
health-check          | route, start v2, await-ready v2
warm                  | route, start v2, warm v2
shift 0               | route, start v2, await-step 1000 ms 5
shift 0 paused        | route, start v2
shift 0 degraded      | route, start v2, await-restore 500 ms
shift 0 degraded+paused | route, start v2, await-restore 500 ms
shift 1               | route, start v2
shift 2               | route, start v2, await-step 1000 ms 5
stop-old drain        | route, drain v1
stop-old drain frozen | route
stop-old stop         | route, stop v1
stop-old stop frozen  | route
rollback restart-old  | route, start v1, undrain v1, await-ready v1
rollback drain        | route, drain v2
rollback stop         | route, stop v2
done                  | route, conclude
rolled-back           | route, conclude`,
    exclusive: `
precheck              | route, precheck
hold                  | route, hold
stop-old drain        | route, hold, drain v1
stop-old stop         | route, hold, stop v1
start-new             | route, hold, start v2
health-check          | route, hold, start v2, await-ready v2
release               | route, release
rollback stop         | route, hold, stop v2
rollback restart-old  | route, hold, start v1, undrain v1, await-ready v1
rollback release      | route, release
done                  | route, conclude
rolled-back           | route, conclude
failed                | route, release, conclude`,
  }
  for (const strategy of ['shift', 'exclusive'] as const) {
    for (const line of asked[strategy].trim().split('\n')) {
      const [name = '', actions = ''] = line.split('|').map((part) => part.trim())
      test(`${strategy}: ${name}`, () => {
        const place = places.find((each) => placeText(each) === name)
        assert.ok(place)
        const upgrade = upgradeAt(place, { plan: plan({ strategy }) })
        const move = step(upgrade, { is: 'recovered' }, 9_000)
        assert.equal(move.next, upgrade)
        assert.equal(move.actions.map(actionText).join(', '), actions)
      })
    }
  }
})

test('any place of any strategy has an outcome for any event', () => {
  for (const strategy of ['shift', 'exclusive'] as const) {
    for (const place of places) {
      for (const event of events) {
        const upgrade = upgradeAt(place, { plan: plan({ strategy }) })
        const { next } = step(upgrade, event, 9_000)
        assert.equal(next.seq, next === upgrade ? 7 : 8, `${strategy} ${placeText(place)} ${eventText(event)}`)
      }
    }
  }
})
