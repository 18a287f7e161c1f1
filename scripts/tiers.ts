/** Which test files belong to which tier. Pure. */

export const tiers = ['all', 'quick', 'system', 'soak'] as const
export type Tier = (typeof tiers)[number]

/** Starting real processes over and over, or running for long: not for the edit-and-run loop. */
const slow = /^test\/(e2e|keeper|bench|fleet|cache|config\/etcd)\/|\.slow\.test\.ts$/
/** Machines that fail over and over, under load and for minutes: beside what they stand for, and run one at a time. */
const system = /^test\/system\/|\.system\.test\.ts$/
const soak = /^test\/soak\//

/** `files` are paths from the repository's root, with `/`. */
export function selectTests(tier: Tier, files: readonly string[]): string[] {
  return files.filter((file) => file.startsWith('test/') && file.endsWith('.test.ts') && belongs(tier, file)).sort()
}

function belongs(tier: Tier, file: string): boolean {
  if (tier === 'system') return system.test(file)
  if (tier === 'soak') return soak.test(file)
  return !system.test(file) && !soak.test(file) && (tier === 'all' || !slow.test(file))
}

/** The programs that the text of a test asks for with `needs('nginx', 'wrk')`. */
export function programsNeeded(text: string): string[] {
  return [...text.matchAll(/\bneeds\(([^)]*)\)/g)].flatMap(([, list]) =>
    [...(list ?? '').matchAll(/'([^']+)'/g)].map(([, name]) => name ?? ''),
  )
}
