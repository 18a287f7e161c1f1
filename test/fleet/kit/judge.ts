/**
 * The promise of point 1 of the etcd source: what an instance applied is a subsequence of what was committed, by revision and by content,
 * and its end is the last one that was committed. Pure.
 */
import type { Numbered } from './running-source.ts'

/** What is wrong, in words; empty if nothing is. `committed` in the order of the revisions. */
export function judge(committed: readonly Numbered[], applied: readonly Numbered[]): readonly string[] {
  const texts = new Map(committed.map(({ revision, text }) => [revision, text]))
  const unknown = applied.filter(({ revision, text }) => texts.get(revision) !== text)
  const backwards = applied.filter(({ revision }, index) => revision <= (applied[index - 1]?.revision ?? 0))
  const [last, end] = [committed.at(-1)?.revision, applied.at(-1)?.revision]
  return [
    ...unknown.map(({ revision, text }) => `applied at revision ${revision} what was not committed there: ${text}`),
    ...backwards.map(({ revision }) => `revision ${revision} came after one that is not older`),
    ...(last === end ? [] : [`it ends at revision ${end}, and ${last} was committed last`]),
  ]
}
