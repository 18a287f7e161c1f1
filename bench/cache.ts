/**
 * What the cache does for an app and for its Redis, and what it costs: real processes, all on loopback.
 * `npm run bench:cache [-- --only hits,savings,warm-up,upgrade,writes --tiny --into FOLDER]` writes its sections into bench/cache.md, and
 * cache.svg beside it. A tiny run shows that everything works, and its numbers say nothing: give it a folder of its own.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { programPath } from '../test/kit/packages.ts'
import { measureUpgrades } from './cache/after-upgrade.ts'
import { measureHits } from './cache/hits.ts'
import { picture } from './cache/picture.ts'
import { afterUpgradeText, hitsText, savingsText, warmUpsText, writesText } from './cache/report.ts'
import { measureSavings } from './cache/savings.ts'
import { type Scale, tiny, whole } from './cache/scale.ts'
import { measureWarmUps } from './cache/warm-ups.ts'
import { measureWrites } from './cache/writes.ts'
import { busyNote, cacheVersionsLine, machineLine } from './machine.ts'
import { writeSection } from './section.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    tiny: { type: 'boolean', default: false },
    into: { type: 'string', default: import.meta.dirname },
  },
})

/** In the order of the page. */
const parts: Readonly<Record<string, (scale: Scale) => Promise<string>>> = {
  hits: async (scale) => hitsText(await measureHits(scale), scale),
  savings: async (scale) => savingsText(await measureSavings(scale), scale),
  'warm-up': async (scale) => warmUpsText(await measureWarmUps(scale), scale),
  async upgrade(scale) {
    const upgrades = await measureUpgrades(scale)
    writeFileSync(join(values.into, 'cache.svg'), picture(upgrades, scale.watchSeconds))
    return afterUpgradeText(upgrades, scale)
  },
  writes: async (scale) => writesText(await measureWrites(scale), scale),
}

const head = `# The cache

\`npm run bench:cache\` writes this page. Everything runs on one machine and its loopback: Redis, baton, the app and the clients share the
cores, and no process has one for itself. Values are compared with Redis’s own before anything is timed, and each read that is timed is
looked at. CPU is the scheduler’s count of a process’s threads.
`

async function main(): Promise<void> {
  const scale = values.tiny ? tiny : whole
  for (const name of chosenParts()) {
    const measure = parts[name]
    if (measure === undefined) throw new Error(`--only: found "${name}", expected of ${Object.keys(parts).join(', ')}`)
    const busy = busyNote()
    const beganAt = performance.now()
    console.error(name)
    const text = await measure(scale)
    const took = `${((performance.now() - beganAt) / 1_000).toFixed(0)} s`
    const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
    const notes = [
      `- ${date}, ${machineLine()}; took ${took}`,
      `- ${cacheVersionsLine(redisVersion())}`,
      ...(busy === null ? [] : [`- ${busy}`]),
    ]
    const section = `${text}\n\n${notes.join('\n')}`
    writeSection(join(values.into, 'cache.md'), head, name, section)
    console.log(`${section}\n`)
  }
}

function chosenParts(): readonly string[] {
  return values.only?.split(',') ?? Object.keys(parts)
}

function redisVersion(): string {
  const { stdout } = spawnSync(programPath('redis-server'), ['--version'], { encoding: 'utf8' })
  return /v=(\S+)/.exec(stdout)?.[1] ?? 'unknown'
}

await main()
