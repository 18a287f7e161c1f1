/** Events of a folder, as functions, so that tests bring their own. */
import { watch } from 'node:fs'

export interface FolderWatch {
  close(): void
}

/** Throws the system's error where the folder cannot be watched (no such folder, no more watches). */
export type WatchFolder = (folder: string, onEvent: () => void, onError: (error: unknown) => void) => FolderWatch

/** Never keeps the process alive. */
export const watchFolder: WatchFolder = (folder, onEvent, onError) => {
  const watcher = watch(folder, { persistent: false })
  watcher.on('change', onEvent)
  watcher.on('error', onError)
  return { close: () => watcher.close() }
}
