/** GET and POST /api/notes: the last 100 notes, in this process's memory: each version has its own, and a restart forgets them. */
import { parseJson, readBody } from './body.ts'
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
      const body = await readBody(request, maxBodyBytes)
      if (body === null) return sendText(response, 413, `a note has at most ${maxBodyBytes} bytes`, { connection: 'close' })
      const text = textOf(parseJson(body))
      if (text === null) return sendText(response, 400, 'expected {"text": "…"}')
      lastId += 1
      const note = { id: lastId, text }
      notes.push(note)
      if (notes.length > maxNotes) notes.shift()
      sendJson(response, 201, { version, note })
    },
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string' ? value.text : null
}
