/** baton as the proxy under test: the real command, with a version for each lane. */
import { startBaton as start } from '../kit/baton.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { answerAll, type Lanes } from './lanes.ts'
import type { RunningProxy } from './peer-process.ts'
import type { Lane } from './run-case.ts'
import { get } from './wire.ts'

export async function startBaton(lanes: Lanes): Promise<RunningProxy> {
  const baton = await start({ config: configOf(lanes) })
  await Promise.all(lanes.all.map((lane) => untilServing(lane, baton.publicPort)))
  return { name: 'baton', port: baton.publicPort, stop: async () => void (await baton.stop()) }
}

/** Short limits, so that a case can meet them, and no version goes out of service for what its app is told to do. */
function configOf(lanes: Lanes): Record<string, unknown> {
  const url = (to: number): unknown => ({ url: `http://127.0.0.1:${to}` })
  return {
    bootstrap: {
      listeners: {
        public: { address: '127.0.0.1:0', trustedHops: ['127.0.0.2/32'] },
        metrics: { address: '127.0.0.1:0' },
      },
      log: { level: 'error' },
    },
    versions: {
      stray: url(lanes.stray.port),
      spare: url(lanes.spare.port),
      ...Object.fromEntries(lanes.all.map((lane) => [lane.name, url(lane.app.port)])),
    },
    stable: 'stray',
    health: { tcp: true, interval: '10m', successThreshold: 1, failureThreshold: 100, passiveFailures: 0 },
    routes: lanes.all.flatMap(({ name }) => [
      { name: `${name}-fallback`, match: { headers: { 'x-lane': name, 'x-fallback': '1' } }, to: name, fallback: 'spare' },
      { name, match: { headers: { 'x-lane': name } }, to: name },
    ]),
    timeouts: { connect: '1s', head: '2s', idle: '2s', requestHead: '1s' },
    retry: { min: 10_000 },
  }
}

/** A version takes requests once its first probes passed. */
async function untilServing(lane: Lane, port: number): Promise<void> {
  lane.app.serve = (connection) => answerAll(connection, 'ok')
  for (let answered = ''; !answered.startsWith('HTTP/1.1 200'); ) {
    const client = await connectRaw({ port })
    const end = new Promise((resolve) => client.socket.once('close', resolve))
    client.socket.once('end', () => client.end())
    client.send(get('/ready', 'Connection: close').replaceAll('$LANE', lane.name))
    await end
    answered = client.received.toString('latin1')
    if (!answered.startsWith('HTTP/1.1 200')) await new Promise((resolve) => setTimeout(resolve, 50)) // what is polled has no event to wait for
  }
  await lane.app.hangUp()
}
