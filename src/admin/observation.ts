/** The read-only port: probes for an orchestrator, and metrics. */
import { answerText } from './answer.ts'
import type { Endpoints } from './http-server.ts'

export interface Observed {
  /** Listeners are bound and a configuration is loaded; never the app's health. */
  started(): boolean
  /** null: ready. Else why not. */
  whyNotReady(): string | null
  /** The exposition in Prometheus's text format. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
}

export function observationEndpoints(observed: Observed): Endpoints {
  return {
    // that it answers is the answer: the event loop turns
    'GET /livez': (_, response) => answerText(response, 200, 'ok\n'),
    'GET /startupz': (_, response) => (observed.started() ? answerText(response, 200, 'ok\n') : answerText(response, 503, 'starting\n')),
    'GET /readyz': (_, response) => {
      const reason = observed.whyNotReady()
      answerText(response, reason === null ? 200 : 503, `${reason ?? 'ok'}\n`)
    },
    'GET /metrics': async (_, response) => {
      const { contentType, text } = await observed.metrics()
      answerText(response, 200, text, { 'content-type': contentType })
    },
  }
}
