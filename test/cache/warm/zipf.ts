/** Reads as Zipf's law has them: the name of rank r comes with a weight of 1 / r^s. Seeded. */
export function zipf(names: number, exponent: number, seed: number): () => number {
  const sums = new Float64Array(names)
  let sum = 0
  for (let rank = 0; rank < names; rank += 1) {
    sum += 1 / (rank + 1) ** exponent
    sums[rank] = sum
  }
  const random = mulberry32(seed)
  return () => {
    const drawn = random() * sum
    let [low, high] = [0, names - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sums[middle] ?? 0) < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** In [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
