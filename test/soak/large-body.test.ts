/** 1 GiB each way (`SOAK_MIB` for another size), byte by byte, in bounded memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBaton } from '../kit/baton.ts'
import { download, MiB, memoryGrowth, upload } from '../kit/large-body.ts'
import { statusOf, untilProbe } from '../kit/observed.ts'
import { startTestApp } from '../kit/test-app.ts'
import { record } from './record.ts'

const size = Number(process.env.SOAK_MIB ?? 1024)
/** A sixteenth of the body: garbage that V8 has not collected yet, not the body. */
const growthMiB = 96

test(`${size} MiB down, up, and up chunked`, { timeout: 3_600_000 }, async () => {
  await using app = await startTestApp('v1')
  await using baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1', health: { http: '/healthz' } } })
  await untilProbe(baton, 'ready', 'v1')
  const { pid } = (await statusOf(baton)).baton
  const port = baton.publicPort
  await download(port, 64 * MiB)
  await upload(port, 64 * MiB)
  const grown = {
    down: await memoryGrowth(pid, () => download(port, size * MiB)),
    up: await memoryGrowth(pid, () => upload(port, size * MiB)),
    chunked: await memoryGrowth(pid, () => upload(port, size * MiB, 'chunked')),
  }
  const rows = Object.entries(grown).map(([way, mib]) => [`${size} MiB ${way}: memory grew by at most (MiB)`, mib.toFixed(1)])
  record('Large bodies', Object.fromEntries(rows))
  for (const [way, mib] of Object.entries(grown)) assert.ok(mib < growthMiB, `${way}: grew by ${mib} MiB`)
})
