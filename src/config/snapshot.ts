/** One immutable, validated, compiled configuration. An exchange uses the one that was current when it was admitted, to its end. */

import type { Roles } from '../routing/route.ts'
import type { Router } from '../routing/router.ts'
import type { Bootstrap, Dynamic } from './settings.ts'

export interface Snapshot {
  /** Goes forward only, within one source. */
  readonly revision: number
  /** Hash of the dynamic half's canonical text; the ETag of `/v1/config`. */
  readonly hash: string
  readonly bootstrap: Bootstrap
  readonly dynamic: Dynamic
  readonly roles: Roles
  readonly router: Router
}
