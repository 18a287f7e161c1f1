/** Settings of versions for tests, each part with a plain default. */
import type { Bootstrap, HealthSettings, ProcessSettings, VersionSettings } from '../../src/config/settings.ts'

export const health: HealthSettings = {
  probe: { is: 'tcp' },
  intervalMs: 5_000,
  fastIntervalMs: 200,
  timeoutMs: 1_000,
  successThreshold: 2,
  failureThreshold: 2,
  passiveFailures: 3,
}

export function tcp(port: number, given: Partial<HealthSettings> = {}, host = '127.0.0.1'): VersionSettings {
  return { endpoint: { is: 'tcp', host, port }, health: { ...health, ...given }, retire: null, push: null }
}

export function managed(process: string, given: Partial<HealthSettings> = {}): VersionSettings {
  return { endpoint: { is: 'process', process }, health: { ...health, ...given }, retire: null, push: null }
}

export function processOf(port: number, given: Partial<ProcessSettings> = {}): ProcessSettings {
  return { command: ['node', 'app.js'], port, env: {}, cwd: '/srv', output: { is: 'inherit' }, stopTimeoutMs: 10_000, ...given }
}

export function bootstrapOf(processes: Bootstrap['processes'] = {}, allowUpstreams: readonly string[] = ['loopback', 'unix']): Bootstrap {
  const listener = { address: { is: 'tcp', host: '127.0.0.1', port: 0 }, trustedHops: [] } as const
  return {
    listeners: { public: listener, metrics: listener },
    admin: null,
    config: null,
    redis: null,
    state: '/tmp',
    allowUpstreams,
    processes,
    retirements: {},
    webhooks: {},
    log: { format: 'json', level: 'info' },
  }
}
