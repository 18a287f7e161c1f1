/** A span of time for people. */

/** `3d`, `2h`, `5m`, `12s`: the largest unit that fits. */
export function age(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
  ] as const
  const unit = units.find(([size]) => ms >= size)
  return unit === undefined ? `${Math.max(0, Math.floor(ms / 1_000))}s` : `${Math.floor(ms / unit[0])}${unit[1]}`
}
