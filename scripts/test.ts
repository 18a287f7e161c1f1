/**
 * Runs a tier of the tests with node's own runner: `node scripts/test.ts all|quick|system|soak [part of a path …] [--node-option …]`.
 *
 *     npm test -- test/routing                            only files whose path has this in it
 *     npm test -- --test-name-pattern='sticky' routing    options are node's own
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensurePackages } from './system-packages.ts'
import { selectTests, type Tier, tiers } from './tiers.ts'

const timeoutMs: Readonly<Record<Tier, number>> = { quick: 60_000, all: 240_000, system: 900_000, soak: 7_200_000 }

function main(): number {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)))
  const [word, ...rest] = process.argv.slice(2)
  const tier = tiers.find((name) => name === word)
  if (tier === undefined) return say(2, `usage: node scripts/test.ts ${tiers.join('|')} [part of a path …] [--node-option …]`)
  const options = rest.filter((arg) => arg.startsWith('-'))
  const parts = rest.filter((arg) => !arg.startsWith('-'))
  const found = selectTests(tier, globSync('test/**/*.test.ts'))
  if (found.length === 0) return say(0, `The tier ${tier} has no tests yet.`)
  const files = found.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  if (files.length === 0) return say(2, `No test file of the tier ${tier} has ${parts.join(' or ')} in its path.`)
  if (!ensurePackages(files)) return 1
  console.log(`Node ${process.version}, tier ${tier}, ${files.length} files`)
  return run(tier, options, files)
}

function run(tier: Tier, options: readonly string[], files: readonly string[]): number {
  // One at a time where a test may take ports, memory or a core for itself.
  const concurrency = tier === 'system' || tier === 'soak' ? 1 : Math.min(4, availableParallelism())
  const own = ['--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`, `--test-timeout=${timeoutMs[tier]}`]
  // The apps that tests start say `node`. Started by hand and not by npm, that would be the machine's, whichever that is.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}` }
  const child = spawnSync(process.execPath, [...own, ...options, ...files], { env, stdio: 'inherit' })
  return child.status ?? 1
}

function say(code: number, line: string): number {
  console.log(line)
  return code
}

process.exitCode = main()
