/** The tracker's protocol step by step: a session and a clock under the test's control (CACHE.md section 2). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Tracker, type TrackerSettings } from '../../src/cache/tracker.ts'
import { View } from '../../src/cache/view.ts'
import { BatonError } from '../../src/errors.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { quiet } from '../kit/turns.ts'
import { FakeSession } from './fake-session.ts'

const settings: TrackerSettings = {
  maxValueBytes: 1_000,
  maxFields: 10,
  stalenessMs: 1_000,
  maxAgeMs: 300_000,
  absentMaxAgeMs: 30_000,
  refreshEveryMs: 100,
  refreshPerSecond: 100,
}

class Fixture {
  readonly world = new FakeWorld()
  readonly views = [new View('v1', { bytes: 1e6, absentBytes: 1e5 }), new View('v2', { bytes: 1e6, absentBytes: 1e5 })] as const
  readonly sessions: FakeSession[] = []
  readonly events: string[] = []
  /** Called for each session that is opened; may throw. */
  opening: (session: FakeSession) => void | Promise<void> = () => {}
  signal: AbortSignal | null = null
  readonly tracker: Tracker

  constructor() {
    this.tracker = new Tracker({
      world: this.world,
      log: createLog(this.world, 'error', []),
      views: this.views,
      settings,
      open: async (hooks, signal) => {
        this.signal = signal
        const session = new FakeSession(hooks)
        this.sessions.push(session)
        await this.opening(session)
        return session
      },
      onLive: () => this.events.push('live'),
      onLost: (reason) => this.events.push(`lost: ${reason}; v1 holds ${this.views[0].keys}`),
    })
  }

  static async live(): Promise<Fixture> {
    const fixture = new Fixture()
    fixture.tracker.start()
    await quiet()
    assert.ok(fixture.tracker.live)
    return fixture
  }

  get session(): FakeSession {
    const session = this.sessions.at(-1)
    assert.ok(session !== undefined)
    return session
  }

  /** Fills the key into v1 and answers: a value, and no TTL unless it is told. */
  async put(name: string, value: string, pttl = -1, view: View = this.views[0]): Promise<void> {
    this.tracker.fill(name, 'string', view, () => {})
    await quiet()
    this.session.answer(Buffer.from(value), pttl)
    await quiet()
  }

  held(name: string, view: View = this.views[0]): string | null | undefined {
    const payload = view.peek(name)?.payload
    return payload === undefined ? undefined : payload.is === 'string' ? payload.value.toString() : null
  }
}

describe('a fill', () => {
  test('is put in, for the view that asked, with the TTL counted from when its read was sent', async () => {
    const fixture = await Fixture.live()
    const { tracker, world, views } = fixture
    const filled = tracker.filled('k', 'string', views[1])
    await quiet()
    const sentAt = world.elapsed()
    world.advance(40)
    fixture.session.answer(Buffer.from('v'), 5_000)
    assert.equal(await filled, 'kept')
    assert.equal(fixture.held('k', views[1]), 'v')
    assert.equal(fixture.held('k'), undefined)
    assert.equal(views[1].peek('k')?.expiresAt, sentAt + 5_000)
    assert.equal(views[1].peek('k')?.deadline, sentAt + 5_000)
  })

  test('of a missing key is put in for a short time', async () => {
    const fixture = await Fixture.live()
    const filled = fixture.tracker.filled('k', 'string', fixture.views[0])
    await quiet()
    const sentAt = fixture.world.elapsed()
    fixture.session.answer(Buffer.alloc(0), -2)
    assert.equal(await filled, 'absent')
    assert.equal(fixture.held('k'), null)
    assert.equal(fixture.views[0].peek('k')?.deadline, sentAt + settings.absentMaxAgeMs)
  })

  test('is used for no longer than its greatest age, with whatever TTL', async () => {
    const fixture = await Fixture.live()
    const sentAt = fixture.world.elapsed()
    await fixture.put('k', 'v')
    assert.equal(fixture.views[0].peek('k')?.deadline, sentAt + settings.maxAgeMs)
    assert.equal(fixture.views[0].peek('k')?.expiresAt, Number.POSITIVE_INFINITY)
  })

  test('asked for twice is read once, into both views', async () => {
    const fixture = await Fixture.live()
    const [first, second] = fixture.views
    const both = [fixture.tracker.filled('k', 'string', first), fixture.tracker.filled('k', 'string', second)]
    await quiet()
    assert.equal(fixture.session.reads.length, 1)
    fixture.session.answer(Buffer.from('v'), -1)
    assert.deepEqual(await Promise.all(both), ['kept', 'kept'])
    assert.equal(first.peek('k'), second.peek('k'))
  })

  test('is dropped when the key is told of before the reply', async () => {
    const fixture = await Fixture.live()
    const filled = fixture.tracker.filled('k', 'string', fixture.views[0])
    await quiet()
    fixture.session.tell('k')
    fixture.session.answer(Buffer.from('old'), -1)
    assert.equal(await filled, 'dropped')
    assert.equal(fixture.held('k'), undefined)
  })

  test('is dropped when the key is told of in the same turn as its reply, the reply first', async () => {
    const fixture = await Fixture.live()
    const filled = fixture.tracker.filled('k', 'string', fixture.views[0])
    await quiet()
    // both in one chunk: what awaits the reply runs later than the telling
    fixture.session.answer(Buffer.from('old'), -1)
    fixture.session.tell('k')
    assert.equal(await filled, 'dropped')
    assert.equal(fixture.held('k'), undefined)
  })

  test('that is dead does not come in under the mark of the next fill of its key', async () => {
    const fixture = await Fixture.live()
    const first = fixture.tracker.filled('k', 'string', fixture.views[0])
    await quiet()
    fixture.tracker.kill('k')
    const second = fixture.tracker.filled('k', 'string', fixture.views[0])
    await quiet()
    assert.equal(fixture.session.reads.length, 2)
    fixture.session.answer(Buffer.from('old'), -1)
    assert.equal(await first, 'dropped')
    assert.equal(fixture.held('k'), undefined)
    fixture.session.answer(Buffer.from('new'), -1)
    assert.equal(await second, 'kept')
    assert.equal(fixture.held('k'), 'new')
  })

  test('is dropped by a flush, and by the loss of its session', async () => {
    const fixture = await Fixture.live()
    const flushed = fixture.tracker.filled('k', 'string', fixture.views[0])
    await quiet()
    fixture.session.tellAll()
    fixture.session.answer(Buffer.from('old'), -1)
    assert.equal(await flushed, 'dropped')
    const lost = fixture.tracker.filled('k', 'string', fixture.views[0])
    await quiet()
    fixture.session.lose('gone')
    assert.equal(await lost, 'dropped')
    assert.equal(fixture.held('k'), undefined)
  })

  test('that was asked for just before the loss is not read by the next session', async () => {
    const fixture = await Fixture.live()
    const filled = fixture.tracker.filled('k', 'string', fixture.views[0])
    fixture.session.lose('gone')
    assert.equal(await filled, 'dropped')
    fixture.world.advance(5_000)
    await quiet()
    assert.ok(fixture.tracker.live)
    assert.deepEqual(fixture.session.reads, [])
  })

  test('that took longer than S is dropped: its TTL would be told too short by as much', async () => {
    const fixture = await Fixture.live()
    const filled = fixture.tracker.filled('k', 'string', fixture.views[0])
    await quiet()
    fixture.world.advance(settings.stalenessMs + 1)
    await quiet()
    fixture.session.answer(Buffer.from('v'), 5_000)
    assert.equal(await filled, 'dropped')
  })

  test('that Redis refuses, or that shows a change while it was read, is not kept', async () => {
    const fixture = await Fixture.live()
    for (const replies of [
      [new Error('NOPERM'), -1],
      [Buffer.from('v'), -2],
      [Buffer.alloc(2_000), -1],
    ]) {
      const filled = fixture.tracker.filled('k', 'string', fixture.views[0])
      await quiet()
      fixture.session.answer(...replies)
      assert.equal(await filled, 'refused')
      assert.equal(fixture.held('k'), undefined)
    }
  })

  test('is nothing while nothing is tracked', async () => {
    const fixture = new Fixture()
    assert.equal(await fixture.tracker.filled('k', 'string', fixture.views[0]), 'dropped')
  })

  test('is read in batches of 64, and dropped where too many are under way', async () => {
    const fixture = await Fixture.live()
    const all = Array.from({ length: 2_050 }, (_, at) => fixture.tracker.filled(`k${at}`, 'string', fixture.views[0]))
    await quiet()
    assert.deepEqual([...new Set(fixture.session.reads.map(({ commands }) => commands.length))], [128])
    assert.equal(fixture.session.reads.length, 2_048 / 64)
    assert.deepEqual(await Promise.all(all.slice(2_048)), ['dropped', 'dropped'])
  })
})

describe('a change', () => {
  test('drops the key from both views in one step', async () => {
    const fixture = await Fixture.live()
    for (const view of fixture.views) await fixture.put('k', 'v', -1, view)
    fixture.session.tell('other', 'k')
    assert.deepEqual(
      fixture.views.map((view) => fixture.held('k', view)),
      [undefined, undefined],
    )
  })

  test('of a key that was hit has it read again, once in its time, for every view that held it', async () => {
    const fixture = await Fixture.live()
    for (const view of fixture.views) await fixture.put('k', 'v', -1, view)
    await fixture.put('idle', 'v')
    fixture.views[0].get('k')
    fixture.session.tell('k', 'idle')
    fixture.session.tell('k')
    assert.equal(fixture.session.reads.length, 0)
    fixture.world.advance(settings.refreshEveryMs)
    await quiet()
    assert.deepEqual(
      fixture.session.reads.map(({ commands }) => String(commands[0]?.[1])),
      ['k'],
    )
    fixture.session.answer(Buffer.from('new'), -1)
    await quiet()
    assert.equal(fixture.held('k'), 'new')
    assert.equal(fixture.held('k', fixture.views[1]), 'new', 'a version that does not serve yet hits nothing')
    // not hit since: dropped, and no more
    fixture.session.tell('k')
    fixture.world.advance(10 * settings.refreshEveryMs)
    await quiet()
    assert.equal(fixture.session.reads.length, 0)
  })

  test('during a refresh has it read once more', async () => {
    const fixture = await Fixture.live()
    await fixture.put('k', 'v')
    fixture.views[0].get('k')
    fixture.session.tell('k')
    fixture.world.advance(settings.refreshEveryMs)
    await quiet()
    fixture.session.tell('k')
    fixture.session.answer(Buffer.from('old'), -1)
    await quiet()
    assert.equal(fixture.held('k'), undefined)
    fixture.world.advance(settings.refreshEveryMs)
    await quiet()
    fixture.session.answer(Buffer.from('new'), -1)
    await quiet()
    assert.equal(fixture.held('k'), 'new')
  })

  test('of everything empties both views, and reads nothing again', async () => {
    const fixture = await Fixture.live()
    for (const view of fixture.views) await fixture.put('k', 'v', -1, view)
    fixture.views[0].get('k')
    fixture.session.tellAll()
    fixture.world.advance(1_000)
    await quiet()
    assert.deepEqual([fixture.views[0].keys, fixture.views[1].keys, fixture.session.reads.length], [0, 0, 0])
  })
})

describe('the tracker', () => {
  test('is fresh for S after the last heartbeat that was answered on both connections', async () => {
    const fixture = await Fixture.live()
    const { tracker, world, session } = fixture
    world.advance(250)
    await quiet()
    const heardAt = tracker.freshAt
    assert.equal(heardAt, world.elapsed())
    session.hears = false
    world.advance(250)
    await quiet()
    assert.equal(tracker.freshAt, heardAt)
    assert.equal(tracker.fresh(heardAt + settings.stalenessMs), true)
    assert.equal(tracker.fresh(heardAt + settings.stalenessMs + 1), false)
    for (const { done } of session.pings.splice(0)) done()
    await quiet()
    // it was sent 250 ms later, whenever it is answered
    assert.equal(tracker.freshAt, heardAt + 250)
  })

  test('empties the views when S is lost, before anybody can be answered, and comes back empty', async () => {
    const fixture = await Fixture.live()
    const { tracker, views, session } = fixture
    await fixture.put('k', 'v')
    session.lose('gone')
    assert.deepEqual([tracker.live, tracker.session, tracker.whyNot, views[0].keys], [false, null, 'gone', 0])
    assert.equal(tracker.fresh(fixture.world.elapsed()), false)
    fixture.world.advance(100)
    await quiet()
    assert.ok(tracker.live)
    assert.deepEqual(fixture.events, ['live', 'lost: gone; v1 holds 1', 'live'])
  })

  test('takes a heartbeat without an answer for a loss', async () => {
    const fixture = await Fixture.live()
    const { session } = fixture
    session.hears = false
    fixture.world.advance(2_000)
    await quiet()
    assert.ok(session.closed)
    assert.equal(fixture.events[1], 'lost: no answer to a heartbeat; v1 holds 0')
  })

  test('takes a replica for a loss', async () => {
    const fixture = await Fixture.live()
    fixture.session.info = Buffer.from('role:slave\r\n')
    fixture.world.advance(250)
    await quiet()
    assert.equal(fixture.events[1], 'lost: the server is a replica now; v1 holds 0')
  })

  test('empties the views when somebody swapped databases, or may have', async () => {
    const fixture = await Fixture.live()
    for (const swaps of ['cmdstat_swapdb:calls=1,usec=1\r\n', 'cmdstat_swapdb:calls=2,usec=1\r\n', '']) {
      await fixture.put('k', 'v')
      fixture.session.info = Buffer.from(`role:master\r\n${swaps}`)
      fixture.world.advance(250)
      await quiet()
      assert.equal(fixture.held('k'), undefined, swaps)
      assert.ok(fixture.tracker.live)
    }
  })

  test('tries again, later and later, and the latest for a server that cannot be a source', async () => {
    const fixture = new Fixture()
    let waits: readonly number[] = []
    fixture.opening = () => {
      throw new BatonError('unreachable', 'nobody there')
    }
    fixture.tracker.start()
    await quiet()
    assert.equal(fixture.tracker.whyNot, 'nobody there')
    for (let attempt = 0; attempt < 10; attempt++) {
      waits = [...waits, ...fixture.world.delays.slice(0, 1)]
      fixture.world.advance(fixture.world.delays[0] ?? 0)
      await quiet()
    }
    assert.ok((waits[0] ?? 0) <= 50 && (waits.at(-1) ?? 0) > 1_000 && (waits.at(-1) ?? 0) <= 2_000, String(waits))
    fixture.opening = () => {
      throw new BatonError('unsupported', 'a cluster')
    }
    fixture.world.advance(2_000)
    await quiet()
    assert.ok((fixture.world.delays[0] ?? 0) > 15_000)
  })

  test('gives up a session that does not come to be, and tries again', async () => {
    const fixture = new Fixture()
    fixture.opening = () => new Promise((_, failed) => fixture.signal?.addEventListener('abort', () => failed(new Error('given up'))))
    fixture.tracker.start()
    await quiet()
    fixture.opening = () => {}
    fixture.world.advance(30_000)
    await quiet()
    fixture.world.advance(2_000)
    await quiet()
    assert.ok(fixture.tracker.live)
  })

  test('gives up a session whose first heartbeat is not answered, and tries again', async () => {
    const fixture = new Fixture()
    fixture.opening = (session) => {
      session.hears = false
    }
    fixture.tracker.start()
    await quiet()
    fixture.opening = () => {}
    fixture.world.advance(30_000)
    await quiet()
    fixture.world.advance(2_000)
    await quiet()
    assert.ok(fixture.tracker.live)
    assert.ok(fixture.sessions[0]?.closed)
  })

  test('that was stopped holds nothing, closes its session and sets no timer', async () => {
    const fixture = await Fixture.live()
    await fixture.put('k', 'v')
    fixture.tracker.stop()
    await quiet()
    assert.deepEqual([fixture.tracker.live, fixture.views[0].keys, fixture.session.closed, fixture.world.timers], [false, 0, true, 0])
  })

  test('that was stopped while it connected opens nothing', async () => {
    const fixture = new Fixture()
    let goOn = () => {}
    fixture.opening = () => new Promise<void>((done) => (goOn = done))
    fixture.tracker.start()
    fixture.tracker.stop()
    goOn()
    await quiet()
    assert.deepEqual([fixture.tracker.live, fixture.session.closed, fixture.world.timers], [false, true, 0])
  })

  test('has a barrier that is reached when a PING that was sent after it was asked for is answered, or the session is lost', async () => {
    const fixture = await Fixture.live()
    const { session, tracker } = fixture
    session.hears = false
    let reached = 0
    for (let count = 0; count < 3; count++) void tracker.barrier().then(() => (reached += 1))
    await quiet()
    assert.deepEqual([session.pings.length, reached], [1, 0])
    void tracker.barrier().then(() => (reached += 1))
    await quiet()
    assert.equal(session.pings.length, 2)
    session.pings.shift()?.done()
    await quiet()
    assert.equal(reached, 3)
    session.lose('gone')
    await quiet()
    assert.equal(reached, 4)
  })

  test('has a barrier that a silent connection holds up for a moment only: then nothing is held that could be too old', async () => {
    const fixture = await Fixture.live()
    await fixture.put('k', 'v')
    fixture.session.hears = false
    let isReached = false
    void fixture.tracker.barrier().then(() => (isReached = true))
    await quiet()
    fixture.world.advance(199)
    await quiet()
    assert.deepEqual([isReached, fixture.held('k')], [false, 'v'])
    fixture.world.advance(1)
    await quiet()
    assert.deepEqual([isReached, fixture.held('k'), fixture.tracker.live], [true, undefined, true])
  })
})
