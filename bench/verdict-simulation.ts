/**
 * How often the verdict is wrong: thousands of upgrades by chance, without sockets, under the default policy and plan.
 * `npm run bench:verdict [-- --histories 100 --seed 1]` writes its tables into bench/rollback.md, between its two marks.
 */
import { parseArgs } from 'node:util'
import { parseConfig } from '../src/config/parse.ts'
import { defaultPolicy, type Policy } from '../src/rollout/policy.ts'
import { writeRollbackSection } from './section.ts'
import { Chance } from './verdict/chance.ts'
import { run } from './verdict/history.ts'
import { badServices, goodServices, rates, type Service } from './verdict/service.ts'
import { type Cell, tableOf } from './verdict/table.ts'

const { values } = parseArgs({ options: { histories: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } } })
const [histories, seed] = [Number(values.histories), Number(values.seed)]
const plan = defaultPlan()

const began = performance.now()
const text = [
  '## Simulation',
  '',
  `${histories} upgrades a line, seed ${seed}, by the default plan (${plan.steps.map(({ is, weight }) => (is === 'weight' ? weight : is)).join(', ')}) and the default`,
  'limits, looked at once a second; written by `npm run bench:verdict`. The real measures, verdict and step machine over requests drawn by',
  'chance: median 20 ms and p99 80 ms at both versions, 0.05 % errors where nothing else is said, CPU known and at 40 %. Seconds count from the',
  'first request by weight; “failed” is the median of failed requests that the new version gave until the end. After ten minutes an upgrade is',
  'still on its way: it waits for data, or a breach has held it.',
  '',
  '### A good version: how often it is taken back all the same',
  '',
  tableOf(cellsOf(goodServices, defaultPolicy)),
  '',
  '### A bad version: how often it is not',
  '',
  tableOf(cellsOf(badServices, defaultPolicy)),
].join('\n')
writeRollbackSection('verdict simulation', text)
console.log(`${text}\n\n${((performance.now() - began) / 1000).toFixed(0)} s`)

function cellsOf(services: readonly Service[], policy: Policy): Cell[] {
  return services.flatMap((service, row) =>
    rates.map((perSecond, column) => {
      const all = Array.from({ length: histories }, (_, index) => {
        const chance = new Chance(seed * 1_000_003 + row * 100_003 + column * 10_007 + index)
        return run(policy, plan, service, perSecond, chance)
      })
      process.stderr.write('.')
      return { service: service.name, perSecond, histories: all }
    }),
  )
}

function defaultPlan() {
  const minimal = 'versions: { v1: { url: "http://127.0.0.1:1" } }\nstable: v1\n'
  const { plan: name, plans } = parseConfig(minimal, 'simulation', { folder: '/', workingFolder: '/', stateOverride: undefined }).dynamic
    .rollout
  const found = plans[name]
  if (found === undefined) throw new Error('there is no default plan')
  return found
}
