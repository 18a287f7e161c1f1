/** The policy in a file: `rollout.analysis` of a configuration, or of a fragment that has nothing else. Read with the code that serving uses. */
import { place } from '../config/complaint.ts'
import { readConfigText } from '../config/config-file.ts'
import { readDocument } from '../config/document.ts'
import { complaintsOf } from '../config/faults.ts'
import { knownKeys } from '../config/known-keys.ts'
import { isMapping } from '../config/mapping.ts'
import { readShape } from '../config/schema.ts'
import { settleAnalysis } from '../config/settle-analysis.ts'
import { BatonError, ConfigError } from '../errors.ts'
import type { Policy } from '../rollout/policy.ts'

/** @throws ConfigError with all faults of the policy; BatonError `usage` where the file has none. */
export async function readPolicy(file: string): Promise<Policy> {
  const document = readDocument(await readConfigText(file), file)
  const { rollout, versions } = document.value as { readonly rollout?: unknown; readonly versions?: unknown }
  const analysis = isMapping(rollout) ? rollout.analysis : undefined
  // a whole configuration that says nothing of it has the defaults
  if (analysis === undefined && versions === undefined) throw new BatonError('usage', `${file} has no rollout.analysis`)
  const shape = readShape('analysis', analysis)
  if (shape.ok) return settleAnalysis(shape.value)
  throw new ConfigError(place(complaintsOf(shape.issues, document.value, knownKeys(), ['rollout', 'analysis']), file, document.locate))
}
