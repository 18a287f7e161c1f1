/** `node test/cache/model/table.ts [runs]`: how often the model check finds each broken variant, as bench/cache-check.md has it. */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Outcome, runModel } from './run.ts'
import { type Broken, broken, brokenNames, delayFor } from './variants.ts'

const runs = Number(process.argv[2] ?? 5)
const seconds = 4

const head = `# The model check of the cache, checked

\`test/cache/model-check.test.ts\` judges value and age of each read. Here the same runs with one rule of the protocol left out, each: in how many
of ${runs} runs of ${seconds} s it is found, in which reads, and whether comparing with Redis after quiet alone would have found it.
Written by \`node test/cache/model/table.ts\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}.

| left out | found in runs | reads in violation, each run | unequal after quiet, runs | reads, hits |
| --- | --- | --- | --- | --- |
`

const rows: string[] = []
for (const which of [null, ...brokenNames]) rows.push(await row(which))
writeFileSync(fileURLToPath(new URL('../../../bench/cache-check.md', import.meta.url)), `${head}${rows.join('\n')}\n`)

async function row(which: Broken | null): Promise<string> {
  const outcomes: Outcome[] = []
  for (let seed = 1; seed <= runs; seed++)
    outcomes.push(
      await runModel({ seed, seconds, by: 'broadcast', delayMs: delayFor(which), stalenessMs: 250, broken: which, restarts: 0 }),
    )
  const found = outcomes.filter(({ violations }) => violations.length > 0).length
  const unequal = outcomes.filter((outcome) => outcome.unequal.length > 0).length
  const counts = outcomes.map(({ violations }) => violations.length).join(', ')
  const sum = (of: 'reads' | 'hits') => outcomes.reduce((total, outcome) => total + outcome[of], 0)
  const what = which === null ? 'nothing' : `${which}: ${broken[which]}`
  const line = `| ${what} | ${found} of ${runs} | ${counts} | ${unequal} | ${sum('reads')}, ${sum('hits')} |`
  console.log(line)
  return line
}
