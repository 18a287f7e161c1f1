/** `npm run bench:upgrade`: what an upgrade and a rollback cost those who come meanwhile. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { busyNote, machineLine } from './machine.ts'
import { picture } from './upgrade/picture.ts'
import { renderUpgrade } from './upgrade/report.ts'
import { type Round, runRound } from './upgrade/round.ts'
import { figuresOf } from './upgrade/stretch.ts'

const roundCount = 3

async function main(): Promise<number> {
  const busy = busyNote()
  const rounds: Round[] = []
  for (let at = 1; at <= roundCount; at++) {
    console.error(`round ${at} of ${roundCount}`)
    rounds.push(await runRound())
  }
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const page = renderUpgrade(rounds, { date, machine: machineLine(), notes: busy === null ? [] : [busy] })
  writeFileSync(join(import.meta.dirname, 'upgrade.md'), page)
  writeFileSync(join(import.meta.dirname, 'upgrade.svg'), picture(middleOf(rounds)))
  console.log(page)
  return rounds.every(({ verdict }) => isWhole(verdict)) ? 0 : 1
}

/** The round whose upgrade has the middle p99: the picture shows neither the best nor the worst. */
function middleOf(rounds: readonly Round[]): Round {
  const p99Of = ({ exchanges, stretches }: Round) => {
    const upgrade = stretches.find(({ name }) => name === 'upgrade')
    return upgrade === undefined ? 0 : figuresOf(exchanges, upgrade).p99Ms
  }
  const middle = [...rounds].sort((a, b) => p99Of(a) - p99Of(b))[rounds.length >> 1]
  if (middle === undefined) throw new Error('no round was run')
  return middle
}

function isWhole({ failed, cut, doubled, missing, streamsCut, socketsCut, wrongEchoes }: Round['verdict']): boolean {
  return [failed, cut, doubled, missing, streamsCut, socketsCut, wrongEchoes].every(({ length }) => length === 0)
}

process.exitCode = await main()
