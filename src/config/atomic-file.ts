/** A file that is replaced whole or not at all, whatever ends the process meanwhile. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errorCode } from '../errors.ts'

/**
 * Temporary file in the same folder, fsync, rename, fsync of the folder. One writer a path: what a killed one left is replaced.
 * Throws the system's error; then nothing has changed and nothing is left.
 */
export async function writeAtomically(path: string, content: string, mode = 0o600): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.tmp`)
  await rm(temporary, { force: true })
  try {
    await writeNew(temporary, content, mode)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
  await syncFolder(folder)
}

async function writeNew(path: string, content: string, mode: number): Promise<void> {
  await using(await open(path, 'wx', mode), async (file) => {
    // The umask may have taken bits away.
    await file.chmod(mode)
    await file.writeFile(content)
    await file.sync()
  })
}

/** Makes the rename last. Some file systems cannot, and some folders may be written but not read: the content is in place all the same. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await using(await open(folder, 'r'), (handle) => handle.sync())
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'EISDIR'].includes(errorCode(error))) throw error
  }
}

async function using(handle: FileHandle, act: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await act(handle)
  } finally {
    await handle.close()
  }
}
