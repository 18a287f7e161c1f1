import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** Gone after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-config-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface Warned {
  readonly messages: string[]
  readonly warn: (message: string, error: unknown) => void
}

export function warned(): Warned {
  const messages: string[] = []
  return { messages, warn: (message) => void messages.push(message) }
}
