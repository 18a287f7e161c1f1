/** Bodies too large to be held: byte number i is i mod 251, so that a cut, a repeat or a swap shows. For `test/e2e/program/app.ts`. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export const MiB = 1024 * 1024

const block = Buffer.from(Uint8Array.from({ length: 251 * 256 }, (_, index) => index % 251))
const sampleMs = 20

export function* blocks(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= block.length) yield left < block.length ? block.subarray(0, left) : block
}

/** GET /bytes, compared as a whole. */
export async function download(port: number, length: number): Promise<void> {
  const hash = createHash('sha256')
  let received = 0
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path: `/bytes?n=${length}`, agent: false }, resolve).on('error', reject)
  })
  for await (const chunk of response) {
    hash.update(chunk as Buffer)
    received += (chunk as Buffer).length
  }
  assert.equal(received, length)
  assert.equal(hash.digest('hex'), digestOf(length))
}

/** POST /digest, compared with what the app read. */
export async function upload(port: number, length: number, framing: 'length' | 'chunked' = 'length'): Promise<void> {
  const headers = framing === 'length' ? { 'content-length': length } : { 'transfer-encoding': 'chunked' }
  const request = http.request({ host: '127.0.0.1', port, method: 'POST', path: '/digest', agent: false, headers })
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => request.on('response', resolve).on('error', reject))
  for (const part of blocks(length)) if (!request.write(part)) await new Promise((resolve) => request.once('drain', resolve))
  request.end()
  let body = ''
  for await (const chunk of await answered) body += String(chunk)
  const answer = JSON.parse(body) as { length: number; sha256: string }
  assert.deepEqual([answer.length, answer.sha256], [length, digestOf(length)])
}

/** Runs it, and gives by how many MiB the process's resident memory grew at most meanwhile. Linux. */
export async function memoryGrowth(pid: number, run: () => Promise<void>): Promise<number> {
  const start = residentMiB(pid)
  let peak = start
  let running = true
  const sampled = (async () => {
    for (; running; await sleep(sampleMs)) peak = Math.max(peak, residentMiB(pid))
  })()
  await run().finally(() => {
    running = false
  })
  await sampled
  return peak - start
}

export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

function digestOf(length: number): string {
  const hash = createHash('sha256')
  for (const part of blocks(length)) hash.update(part)
  return hash.digest('hex')
}
