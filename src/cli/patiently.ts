/** Questions that are asked again while nobody answers: what was ordered goes on meanwhile, and whoever answers may be back soon. */
import { BatonError } from '../errors.ts'
import { pause, type World } from '../world.ts'

const retryMs = 200
/** Longer than the keeper waits before it starts a generation anew, and than etcd takes to start or to find a leader. */
const patienceMs = 15_000

/** @throws BatonError `unreachable` once nobody has answered for `limitMs`. */
export async function patiently<T>(act: () => Promise<T>, world: World, limitMs = patienceMs): Promise<T> {
  const until = world.elapsed() + Math.min(limitMs, patienceMs)
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!isUnreachable(error) || world.elapsed() >= until) throw error
      await pause(world, retryMs)
    }
  }
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof BatonError && error.code === 'unreachable'
}
