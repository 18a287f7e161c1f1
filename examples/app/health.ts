/** GET /healthz: 503 while the app starts (START_DELAY_MS), then 200. */
import { sendJson } from './reply.ts'
import type { Page } from './routes.ts'
import type { Settings } from './settings.ts'

export function healthPage({ version, startDelayMs }: Settings): Page {
  const readyAt = performance.now() + startDelayMs
  return (_request, response) => {
    const ready = performance.now() >= readyAt
    sendJson(response, ready ? 200 : 503, { version, status: ready ? 'ready' : 'starting' })
  }
}
