/** The name of an upgrade: the day on which it began (UTC), and four characters against its neighbours of that day. */
import type { UpgradeId } from './upgrade.ts'

const letters = 36 ** 4

export function newUpgradeId(now: number, random: () => number): UpgradeId {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '')
  const rest = Math.floor(random() * letters).toString(36)
  return `upg-${day}-${rest.padStart(4, '0')}`
}

/** What comes from outside and is to become a file's name has to pass this. */
export function isUpgradeId(text: string): boolean {
  return /^upg-\d{8}-[0-9a-z]{4}$/.test(text)
}
