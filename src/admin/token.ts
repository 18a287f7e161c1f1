/** The admin token: the secret of a file of its own. */

import { readSecret } from '../config/secret-file.ts'
import { BatonError, errorMessage } from '../errors.ts'

/** @throws BatonError `start`: unreadable, readable by others, or too short. */
export async function readToken(path: string): Promise<string> {
  try {
    return await readSecret(path)
  } catch (error) {
    throw new BatonError('start', `bootstrap.admin.tokenFile cannot be used: ${errorMessage(error)}`, error)
  }
}
