/** All cases, by subject, and how they are run against one proxy. */
import type { Case } from './case.ts'
import { answersUnusable } from './cases/answers-unusable.ts'
import { connections } from './cases/connections.ts'
import { failures } from './cases/failures.ts'
import { framingHead } from './cases/framing-head.ts'
import { framingLength } from './cases/framing-length.ts'
import { framingTarget } from './cases/framing-target.ts'
import { requestFields } from './cases/request-fields.ts'
import { responses } from './cases/responses.ts'
import { streaming } from './cases/streaming.ts'
import { upgrade } from './cases/upgrade.ts'
import type { Lanes } from './lanes.ts'
import { runCase } from './run-case.ts'

export interface Group {
  readonly name: string
  readonly cases: readonly Case[]
}

export const suite: readonly Group[] = [
  { name: 'framing: lengths', cases: framingLength },
  { name: 'framing: heads', cases: framingHead },
  { name: 'framing: targets', cases: framingTarget },
  { name: 'request fields', cases: requestFields },
  { name: 'responses', cases: responses },
  { name: 'answers that cannot be used', cases: answersUnusable },
  { name: 'connections', cases: connections },
  { name: 'streaming', cases: streaming },
  { name: 'failures', cases: failures },
  { name: 'upgrade', cases: upgrade },
]

/** So many cases run at once: each has a lane. */
export const laneCount = 12

export interface Result {
  readonly testCase: Case
  /** Empty: passed. */
  readonly complaints: readonly string[]
}

/** Runs every case that `wanted` lets through. The results come in the order of the suite. */
export async function runSuite(cases: readonly Case[], lanes: Lanes, port: number, patienceMs: number): Promise<Result[]> {
  return Promise.all(
    cases.map((testCase) => lanes.with(async (lane) => ({ testCase, complaints: await runCase(testCase, lane, { port, patienceMs }) }))),
  )
}
