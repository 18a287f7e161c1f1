/** From a change of one proxy's configuration to its first answer under it, over and over, while one client asks without a pause. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startAsker } from '../../test/fleet/kit/asker.ts'
import { startNumberApp } from '../../test/fleet/kit/number-app.ts'
import type { LoadReport } from '../../test/kit/load.ts'
import { until } from '../../test/kit/until.ts'
import type { Peer } from './reloading.ts'

export interface Timed {
  readonly effectMs: readonly number[]
  readonly load: LoadReport
}

/** Between an effect and the next change: long enough for a worker that drains to be gone. */
const gapMs = 50

/** Ends with an error where a change has no effect within 20 s. */
export async function timeChanges(peer: Peer, changes: number): Promise<Timed> {
  await using app = await startNumberApp()
  await using proxy = await peer.start(app.port)
  await using asker = startAsker(proxy.port, 0)
  await until(
    () => asker.seen >= 1,
    () => `${peer.name} does not answer`,
  )
  const effectMs: number[] = []
  for (let number = 2; number <= changes + 1; number++) {
    await proxy.ready?.()
    const changedAt = performance.now()
    await proxy.change(number)
    await until(
      () => asker.seen >= number,
      () => `${peer.name}: change ${number} has no effect`,
    )
    effectMs.push((asker.seenAt(number) ?? Number.NaN) - changedAt)
    await sleep(gapMs)
  }
  return { effectMs, load: await asker.stop() }
}
