/** A proxy is timed only when its answers are right: what is asked of it, and what must come back. */
import { createHash } from 'node:crypto'
import { Agent, request } from 'node:http'
import { bodyOf, type Workload } from './workload.ts'

interface Got {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Buffer
}

/** Twice on one kept-alive connection. Returns what was wrong, one line each; none is good. */
export async function checkAnswers(port: number, workload: Workload): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const faults: string[] = []
  try {
    for (let each = 0; each < 2; each += 1) faults.push(...(await checkWorkload(agent, port, workload)))
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error))
  } finally {
    agent.destroy()
  }
  return [...new Set(faults)]
}

async function checkWorkload(agent: Agent, port: number, workload: Workload): Promise<string[]> {
  const body = bodyOf(workload.bytes)
  if (workload.method === 'GET') return faultsOf(workload.path, await ask(agent, port, 'GET', workload.path, null), body)
  const length = Buffer.from(String(workload.bytes))
  return [
    ...faultsOf(workload.path, await ask(agent, port, 'POST', workload.path, body), length),
    ...faultsOf('/echo', await ask(agent, port, 'POST', '/echo', body), body),
  ]
}

function faultsOf(path: string, got: Got, body: Buffer): string[] {
  const wrong = (what: string, found: unknown, expected: unknown): string[] =>
    found === expected ? [] : [`${path}: ${what} is ${found}, expected ${expected}`]
  return [
    ...wrong('status', got.status, 200),
    ...wrong('content-length', got.headers['content-length'], String(body.length)),
    ...wrong('content-type', got.headers['content-type'], 'text/plain'),
    ...wrong("the app's own header", got.headers['x-origin'], 'bench'),
    ...wrong('the request header that the app saw', got.headers['x-seen'], 'yes'),
    ...wrong('connection', got.headers.connection === 'close', false),
    ...wrong('body (SHA-256)', hash(got.body), hash(body)),
  ]
}

function ask(agent: Agent, port: number, method: string, path: string, body: Buffer | null): Promise<Got> {
  const headers = { 'x-asked': 'yes', ...(body === null ? {} : { 'content-type': 'text/plain', 'content-length': body.length }) }
  return new Promise((resolve, reject) => {
    const asked = request({ agent, host: '127.0.0.1', port, method, path, headers, timeout: 5_000 }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }))
      response.on('error', reject)
    })
    asked.on('timeout', () => asked.destroy(new Error(`${method} ${path}: no answer within 5 s`)))
    asked.on('error', (error) => reject(new Error(`${method} ${path}: ${error.message}`)))
    asked.end(body)
  })
}

const hash = (body: Buffer): string => createHash('sha256').update(body).digest('hex').slice(0, 16)
