/** The known word that a misspelt one most likely meant. */

/** Null if none is near: more than a third of its letters would have to change. */
export function nearest(word: string, known: readonly string[]): string | null {
  const ranked = known.map((name) => ({ name, away: distance(word, name) })).sort((a, b) => a.away - b.away)
  const best = ranked[0]
  return best !== undefined && best.away <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : null
}

/** Letters to insert, delete, change or swap with their neighbour (optimal string alignment). */
function distance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      const change = (last[column - 1] ?? 0) + (same ? 0 : 1)
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const swap = swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY
      current.push(Math.min(change, swap, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}
