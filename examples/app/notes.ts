/** GET and POST /api/notes: the last 100 notes, in this process's memory: each version has its own, and a restart forgets them. */
import type { IncomingMessage } from 'node:http'
import { sendJson, sendText } from './reply.ts'
import type { Page } from './routes.ts'

const maxNotes = 100
const maxBodyBytes = 4096

export interface Note {
  readonly id: number
  readonly text: string
}

export interface Notebook {
  readonly list: Page
  readonly add: Page
}

export function notebook(version: string): Notebook {
  const notes: Note[] = []
  let lastId = 0
  return {
    list: (_request, response) => sendJson(response, 200, { version, notes }),
    async add(request, response) {
      const body = await readBody(request)
      if (body === null) return sendText(response, 413, `a note has at most ${maxBodyBytes} bytes`, { connection: 'close' })
      const text = textOf(body)
      if (text === null) return sendText(response, 400, 'expected {"text": "…"}')
      lastId += 1
      const note = { id: lastId, text }
      notes.push(note)
      if (notes.length > maxNotes) notes.shift()
      sendJson(response, 201, { version, note })
    },
  }
}

/** Null when it is too long. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function textOf(body: string): string | null {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string' ? value.text : null
  } catch {
    return null // not JSON: the caller answers 400
  }
}
