/** The outside as functions, so that tests bring their own. Nothing else reads the clock, timers, randomness or the environment. */
export interface Timer {
  cancel(): void
}

export interface World {
  /** Wall clock, ms since the epoch. */
  now(): number
  /** Monotonic clock, ms with a fraction. */
  elapsed(): number
  /** Calls `run` once after `delayMs`; a pending timer never keeps the process alive. */
  after(delayMs: number, run: () => void): Timer
  /** Calls `run` every `periodMs`. */
  every(periodMs: number, run: () => void): Timer
  /** In [0, 1). */
  random(): number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly pid: number
  readonly platform: NodeJS.Platform
  /** Returns the removal. */
  onSignal(signal: NodeJS.Signals, run: () => void): () => void
}

export const realWorld: World = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  every(periodMs, run) {
    const timer = setInterval(run, periodMs)
    timer.unref()
    return { cancel: () => clearInterval(timer) }
  },
  random: () => Math.random(),
  env: process.env,
  pid: process.pid,
  platform: process.platform,
  onSignal(signal, run) {
    process.on(signal, run)
    return () => process.off(signal, run)
  },
}

/** The wall clock as it is now, driven by the monotonic one from here on: what has to last a time lasts it, whoever sets the clock meanwhile. */
export function steady(world: World): World {
  const began = world.now() - world.elapsed()
  return {
    now: () => Math.round(began + world.elapsed()),
    elapsed: () => world.elapsed(),
    after: (delayMs, run) => world.after(delayMs, run),
    every: (periodMs, run) => world.every(periodMs, run),
    random: () => world.random(),
    env: world.env,
    pid: world.pid,
    platform: world.platform,
    onSignal: (signal, run) => world.onSignal(signal, run),
  }
}

/** Resolves after `ms`; like every timer of the world it keeps no process alive. */
export function pause(world: Pick<World, 'after'>, ms: number): Promise<void> {
  return new Promise((done) => void world.after(ms, done))
}
