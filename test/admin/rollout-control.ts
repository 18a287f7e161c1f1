/** A rollout that does as it is told at once, and remembers what it was told. */
import type { Outcome, RolloutControl } from '../../src/admin/rollout-api.ts'

export interface Told {
  readonly calls: unknown[][]
  readonly control: RolloutControl
}

/** `outcome` is the answer to every order, `explained` what it knows of the one upgrade that it knows. */
export function rolloutControl(outcome: () => Outcome, explained: () => Awaited<ReturnType<RolloutControl['explain']>>): Told {
  const calls: unknown[][] = []
  const answer =
    (name: string) =>
    async (...words: unknown[]): Promise<Outcome> => {
      calls.push([name, ...words])
      return outcome()
    }
  const control: RolloutControl = {
    begin: answer('begin'),
    order: answer('order'),
    promote: answer('promote'),
    stable: answer('stable'),
    drain: answer('drain'),
    undrain: answer('undrain'),
    retire: answer('retire'),
    hold: answer('hold'),
    release: answer('release'),
    history: async () => [{ id: 'upg-20261124-ab12' }],
    explain: async (id) => (id === 'upg-20261124-ab12' ? explained() : null),
  }
  return { calls, control }
}
