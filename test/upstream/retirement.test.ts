/** An app that others have started is stopped as the bootstrap half says, by real signals and requests; who must not be touched is not. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import type { EndpointSettings, RetirementSettings } from '../../src/config/settings.ts'
import { identify, isAlive } from '../../src/keeper/proc.ts'
import { createLog, type LogRecord } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { RetirementFault, retireApp } from '../../src/upstream/retirement.ts'
import { realWorld } from '../../src/world.ts'
import { freePort } from '../kit/free-ports.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'

const folder = mkdtempSync(join(tmpdir(), 'baton-retire-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const pidFile = join(folder, 'app.pid')

type BySignal = Extract<RetirementSettings, { readonly is: 'signal' }>

function bySignal(given: Partial<BySignal> = {}): BySignal {
  return { is: 'signal', pidFile, signal: 'SIGTERM', stopTimeoutMs: 10_000, kill: false, ...given }
}

function byHttp(
  port: number,
  given: Partial<Extract<RetirementSettings, { readonly is: 'http' }>> = {},
  host = '127.0.0.1',
): RetirementSettings {
  const url = { scheme: 'http', host, port, path: '/off?token=hunter2' } as const
  return { is: 'http', url, method: 'POST', timeoutMs: 5_000, ...given }
}

function at(port: number): EndpointSettings {
  return { is: 'tcp', host: '127.0.0.1', port }
}

async function retire(settings: RetirementSettings, endpoint: EndpointSettings, allowUpstreams: readonly string[] = ['loopback']) {
  const metrics = new Metrics()
  const records: LogRecord[] = []
  const log = createLog(realWorld, 'debug', [(record) => void records.push(record)])
  const done = retireApp({ version: 'v1', name: 'old', settings, endpoint, allowUpstreams }, { world: realWorld, log, metrics })
  const fault = await done.then(
    () => null,
    (error: unknown) => error,
  )
  const [sample, ...more] = metrics.samples('baton_retirements_total')
  assert.deepEqual(more, [])
  if (fault !== null) {
    assert.ok(fault instanceof RetirementFault, String(fault))
    assert.match(fault.message, /^v1 is not retired by old: [^\n]+$/)
    assert.doesNotMatch(fault.message, /hunter2/)
    assert.deepEqual(records, [])
  } else assert.deepEqual([records[0]?.event, records[0]?.fields.outcome], ['version.retired', sample?.labels.outcome])
  return { outcome: sample?.labels.outcome, message: fault instanceof Error ? fault.message : null }
}

/** A zombie does not. */
function runs({ pid }: TestApp): boolean {
  return isAlive(identify(pid))
}

async function startApp(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<TestApp> {
  const app = await startTestApp('v1', env)
  t.after(() => app.kill())
  writeFileSync(pidFile, `${app.pid}\n`, { mode: 0o644 })
  return app
}

describe('by signal', () => {
  test('the process is asked to end, and is gone when that is said', async (t) => {
    const app = await startApp(t)
    assert.deepEqual(await retire(bySignal(), at(app.port)), { outcome: 'stopped', message: null })
    assert.equal(runs(app), false)
  })

  test('one that does not go is a fault that says which, and lives', async (t) => {
    const app = await startApp(t, { STUBBORN: '1' })
    const { outcome, message } = await retire(bySignal({ stopTimeoutMs: 150 }), at(app.port))
    assert.equal(outcome, 'failed')
    assert.match(message ?? '', new RegExp(`process ${app.pid} still runs 150 ms after SIGTERM$`))
    assert.equal(runs(app), true)
  })

  test('one that does not go is killed where that is configured, and only then', async (t) => {
    const app = await startApp(t, { STUBBORN: '1' })
    assert.deepEqual(await retire(bySignal({ stopTimeoutMs: 150, kill: true }), at(app.port)), { outcome: 'stopped', message: null })
    assert.equal(runs(app), false)
  })

  test('a pid with more lines below it is the first one', async (t) => {
    const app = await startApp(t)
    writeFileSync(pidFile, `${app.pid}\n/srv/app\n${process.pid}\n`)
    assert.equal((await retire(bySignal(), at(app.port))).outcome, 'stopped')
  })

  const dead = () => {
    const pid = Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }))
    writeFileSync(pidFile, `${pid}`)
  }
  const instead = (make: () => unknown) => {
    rmSync(pidFile)
    make()
  }
  const cases: readonly [what: string, prepare: () => void, said: RegExp][] = [
    ['a file that is not there', () => rmSync(pidFile), /ENOENT/],
    ['a file without a pid', () => writeFileSync(pidFile, 'node\n'), /does not begin with a pid/],
    ['an empty file', () => writeFileSync(pidFile, ''), /does not begin with a pid/],
    ['a pid with something behind it', () => writeFileSync(pidFile, '12; 13'), /does not begin with a pid/],
    ['a process group', () => writeFileSync(pidFile, '-4711'), /does not begin with a pid/],
    ['process 0', () => writeFileSync(pidFile, '0'), /names process 0/],
    ['process 1', () => writeFileSync(pidFile, '1'), /names process 1/],
    ['baton itself', () => writeFileSync(pidFile, `${process.pid}`), /names baton itself/],
    ["baton's keeper", () => writeFileSync(pidFile, `${process.ppid}`), /names baton itself/],
    ['a process that has ended', dead, /which does not run/],
    ['a file that everybody can write', () => chmodSync(pidFile, 0o666), /can be written by everybody/],
    ['a folder', () => instead(() => mkdirSync(pidFile)), /is not a file/],
    ['a pipe that nobody writes to', () => instead(() => execFileSync('mkfifo', [pidFile])), /is not a file/],
  ]
  for (const [what, prepare, said] of cases) {
    test(`${what} is a fault, and nobody is signalled`, async (t) => {
      const app = await startApp(t)
      t.after(() => rmSync(pidFile, { recursive: true, force: true }))
      prepare()
      const { outcome, message } = await retire(bySignal(), at(app.port))
      assert.equal(outcome, 'failed')
      assert.match(message ?? '', said)
      assert.equal(runs(app), true)
    })
  }

  test('a file of a third user is a fault: he could have anyone signalled', { skip: process.getuid?.() !== 0 }, async (t) => {
    const app = await startApp(t)
    t.after(() => rmSync(pidFile))
    chownSync(pidFile, 4711, 4711)
    assert.match((await retire(bySignal(), at(app.port))).message ?? '', /app\.pid belongs to user 4711, and process \d+ to user 0$/)
    assert.equal(runs(app), true)
  })
})

describe('an app at whose address nothing answers', () => {
  test('is gone already: the pid in its file is by now another’s, and is left alone', async (t) => {
    const innocent = await startApp(t)
    assert.deepEqual(await retire(bySignal(), at(await freePort())), { outcome: 'gone', message: null })
    assert.deepEqual(await retire(bySignal(), { is: 'unix', path: join(folder, 'no.sock') }), { outcome: 'gone', message: null })
    assert.equal(runs(innocent), true)
  })

  test('is gone already: nothing is called', async (t) => {
    const { port, requests } = await listen(t, (_, response) => response.end())
    assert.equal((await retire(byHttp(port), at(await freePort()))).outcome, 'gone')
    assert.deepEqual(requests, [])
  })
})

async function listen(t: TestContext, answer: RequestListener) {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers['content-length']}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return { server, requests, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

describe('by HTTP', () => {
  test('2xx is done', async (t) => {
    const { port, requests } = await listen(t, (_, response) => response.writeHead(202).end('going'))
    assert.deepEqual(await retire(byHttp(port), at(port)), { outcome: 'stopped', message: null })
    assert.deepEqual(requests, ['POST /off?token=hunter2 0'])
  })

  test('an app that ends before it answers is stopped', async (t) => {
    const { port, server } = await listen(t, (request) => {
      server.close()
      request.socket.destroy()
    })
    assert.equal((await retire(byHttp(port), at(port))).outcome, 'stopped')
  })

  test('one that breaks off and still listens is a fault', async (t) => {
    const { port } = await listen(t, (request) => request.socket.destroy())
    assert.match((await retire(byHttp(port), at(port))).message ?? '', /POST to 127\.0\.0\.1:\d+: socket hang up$/)
  })

  test('any other status is a fault, and a redirect is not followed', async (t) => {
    const { port, requests } = await listen(t, (_, response) => response.writeHead(302, { location: '/elsewhere' }).end())
    assert.match((await retire(byHttp(port, { method: 'PUT' }), at(port))).message ?? '', /PUT to 127\.0\.0\.1:\d+ answered 302$/)
    assert.equal(requests.length, 1)
  })

  test('an app that never answers is a fault in time', async (t) => {
    const { port } = await listen(t, () => undefined)
    assert.match((await retire(byHttp(port, { timeoutMs: 100 }), at(port))).message ?? '', /no answer within 100 ms$/)
  })

  test('a name that leads where baton may not go is a fault, and nothing is called', async (t) => {
    const { port, requests } = await listen(t, (_, response) => response.end())
    const { message } = await retire(byHttp(port, {}, 'localhost'), at(port), ['10.0.0.0/8'])
    assert.match(message ?? '', /localhost leads where bootstrap\.allowUpstreams does not allow$/)
    assert.deepEqual(requests, [])
  })
})
