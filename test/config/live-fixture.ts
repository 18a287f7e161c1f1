/** A live configuration on a fake clock, with everything it tells written down. */
import type { Loaded } from '../../src/config/config-file.ts'
import type { LastGood } from '../../src/config/last-good.ts'
import { LiveConfig, type LiveParts } from '../../src/config/live.ts'
import type { ParseOptions } from '../../src/config/settle.ts'
import { realWorld, type World } from '../../src/world.ts'
import { options as fixedOptions, parse } from './fixture.ts'

export interface Told {
  readonly live: LiveConfig
  readonly counts: string[]
  readonly saved: LastGood[]
  readonly warnings: string[]
  readonly sections: Map<string, unknown>
  readonly clock: { now: number }
}

export function loaded(text: string, options: ParseOptions = fixedOptions): Loaded {
  return { text, name: 'baton.yaml', config: parse(text, options), remote: null, fault: null }
}

export function liveWith(
  first: Loaded,
  sections = new Map<string, unknown>(),
  options: ParseOptions = fixedOptions,
  more: Pick<LiveParts, 'veto'> = {},
): Told {
  const told = { counts: [] as string[], saved: [] as LastGood[], warnings: [] as string[], sections, clock: { now: 1_000 } }
  const world: World = { ...realWorld, now: () => told.clock.now, elapsed: () => told.clock.now }
  const live = new LiveConfig(first, {
    options,
    world,
    recorder: {
      swapped: (origin) => void told.counts.push(`swapped ${origin}`),
      rejected: (origin, reason) => void told.counts.push(`rejected ${origin} ${reason}`),
    },
    state: { get: (section) => sections.get(section), set: (section, value) => void sections.set(section, value) },
    lastGood: { save: (lastGood) => void told.saved.push(lastGood) },
    warn: (message, error) => void told.warnings.push(`${message}: ${error}`),
    ...more,
  })
  return { live, ...told }
}
