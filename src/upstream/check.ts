/** One probe of one endpoint, on a connection of its own: an app that is out of connections is not ready. */
import http from 'node:http'
import net from 'node:net'
import type { ProbeSettings } from '../config/settings.ts'
import { errorCode, errorMessage } from '../errors.ts'
import type { Outcome } from './health.ts'
import type { Endpoint } from './transport/transport.ts'

/** Never rejects: what goes wrong is the outcome. `signal` abandons it. */
export function check(probe: ProbeSettings, endpoint: Endpoint, timeoutMs: number, signal: AbortSignal): Promise<Outcome> {
  return probe.is === 'tcp' ? checkTcp(endpoint, timeoutMs, signal) : checkHttp(probe, endpoint, timeoutMs, signal)
}

function checkTcp(endpoint: Endpoint, timeoutMs: number, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = net.connect(placeOf(endpoint))
    // net's own `signal` option leaves its listener, and with it the socket, on a signal that outlives the probe
    const abandon = () => socket.destroy(new Error('abandoned'))
    if (signal.aborted) abandon()
    else signal.addEventListener('abort', abandon)
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)))
    socket.on('connect', () => {
      socket.destroy()
      resolve({ is: 'pass' })
    })
    socket.on('error', (error) => resolve(failed(error)))
    socket.on('close', () => {
      signal.removeEventListener('abort', abandon)
      resolve({ is: 'fail', reason: 'connection closed' })
    })
  })
}

function checkHttp(probe: ProbeSettings & { is: 'http' }, endpoint: Endpoint, timeoutMs: number, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const headers = { host: probe.host ?? hostOf(endpoint), 'user-agent': 'baton-probe', connection: 'close' }
    const request = http.request({ ...placeOf(endpoint), path: probe.path, headers, agent: false, signal }, (response) => {
      const status = response.statusCode ?? 0
      resolve(status >= 200 && status < 400 ? { is: 'pass' } : { is: 'fail', reason: `GET ${probe.path} answered ${status}` })
      response.destroy()
    })
    const deadline = AbortSignal.timeout(timeoutMs)
    const late = () => request.destroy(new Error(`GET ${probe.path} not answered within ${timeoutMs} ms`))
    deadline.addEventListener('abort', late, { once: true })
    request.on('error', (error) => resolve(failed(error)))
    request.on('close', () => {
      deadline.removeEventListener('abort', late)
      // neither a response nor an error came: an upgrade that nobody asked for ends so
      resolve({ is: 'fail', reason: `GET ${probe.path} was not answered` })
    })
    request.end()
  })
}

function placeOf(endpoint: Endpoint): { host: string; port: number } | { path: string; socketPath: string } {
  return endpoint.is === 'tcp' ? { host: endpoint.address, port: endpoint.port } : { path: endpoint.path, socketPath: endpoint.path }
}

function hostOf(endpoint: Endpoint): string {
  if (endpoint.is === 'unix') return 'localhost'
  return endpoint.address.includes(':') ? `[${endpoint.address}]:${endpoint.port}` : `${endpoint.address}:${endpoint.port}`
}

function failed(error: unknown): Outcome {
  return { is: 'fail', reason: errorCode(error) || errorMessage(error) }
}
