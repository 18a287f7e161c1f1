/** Files with a secret: one that others can read is none. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** Why a file of this mode cannot hold a secret, or null. */
function modeFault(path: string, mode: number): string | null {
  return (mode & 0o077) === 0 ? null : `its mode is ${(mode & 0o777).toString(8)}, expected 600 (chmod 600 ${path})`
}

/** Without outer white space. @throws Error that names the file and never its content: unreadable, readable by others, too short. */
export async function readSecret(path: string, minCharacters = 16, maxBytes = 4_096): Promise<string> {
  // a FIFO must not hold baton up
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = await file.stat()
    const fault = stat.isFile() ? modeFault(path, stat.mode) : 'it is not a file'
    if (fault !== null) throw new Error(`${path}: ${fault}`)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0)
    const secret = buffer.toString('utf8', 0, bytesRead).trim()
    if (secret.length < minCharacters)
      throw new Error(`${path}: a secret of ${secret.length} characters, expected at least ${minCharacters}`)
    return secret
  } finally {
    await file.close()
  }
}
