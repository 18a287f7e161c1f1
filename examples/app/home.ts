/** GET /: a page that shows at a glance which version answered, and lets a person try the rest. */
import { send } from './reply.ts'
import type { Page } from './routes.ts'

interface Look {
  readonly colour: string
  readonly greeting: string
}

const looks: Readonly<Record<string, Look>> = {
  v1: { colour: '#1d4ed8', greeting: 'The version everybody knows.' },
  v2: { colour: '#047857', greeting: 'The new version, for those who ask for it.' },
}

export function homePage(version: string): Page {
  const look = Object.hasOwn(looks, version) ? looks[version] : undefined
  return (request, response) => {
    const canary = request.headers['x-canary'] === 'true'
    send(response, 200, 'text/html; charset=utf-8', render(version, look ?? lookOf(version), canary))
  }
}

/** Any other name gets a colour of its own, the same each time. */
function lookOf(version: string): Look {
  let hue = 0
  for (const char of version) hue = (hue * 31 + (char.codePointAt(0) ?? 0)) % 360
  return { colour: `hsl(${hue} 60% 35%)`, greeting: 'One more version.' }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

function render(version: string, { colour, greeting }: Look, canary: boolean): string {
  const name = escapeHtml(version)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: #1f2937 }
  header { background: ${colour}; color: #fff; padding: 3rem 2rem }
  h1 { font-size: 4rem; line-height: 1; margin: 0 }
  main { padding: 1rem 2rem; max-width: 46rem }
  button { font: inherit; padding: .3rem .8rem; margin: .2rem .2rem .2rem 0; border: 1px solid ${colour}; border-radius: .4rem; background: #fff }
  pre { background: #f3f4f6; padding: .8rem; border-radius: .4rem; min-height: 3rem; overflow: auto; white-space: pre-wrap }
</style>
<header><h1>${name}</h1><p>${greeting}</p><p>${canary ? 'You came by the canary header.' : 'You came without the canary header.'}</p></header>
<main>
  <p>Pages: <a href="/api/hello">/api/hello</a>, <a href="/api/notes">/api/notes</a>,
    <a href="/catalogue/1">/catalogue/1</a>, <a href="/catalogue">/catalogue</a>, <a href="/events">/events</a>,
    <a href="/slow?ms=2000">/slow?ms=2000</a>, <a href="/bytes?n=1000000">/bytes?n=1000000</a>, <a href="/healthz">/healthz</a></p>
  <p>From a terminal: <code>curl -H 'x-canary: true' http://localhost:8080/api/hello</code></p>
  <button data-try="/api/hello">hello</button>
  <button data-try="/api/hello" data-canary>hello, with x-canary: true</button>
  <button data-try="/catalogue">all of the catalogue, from Redis</button>
  <button data-try="/api/echo" data-method="POST">post some bytes</button>
  <button id="ws">WebSocket echo</button>
  <pre id="out"></pre>
</main>
<script>
  const out = document.getElementById('out')
  const show = (text) => { out.textContent = text }
  for (const button of document.querySelectorAll('[data-try]')) button.onclick = async () => {
    const method = button.dataset.method || 'GET'
    const headers = 'canary' in button.dataset ? { 'x-canary': 'true' } : {}
    const answer = await fetch(button.dataset.try, { method, headers, body: method === 'POST' ? 'some bytes' : undefined })
    show('served by ' + answer.headers.get('x-served-by') + '\\n' + await answer.text())
  }
  document.getElementById('ws').onclick = () => {
    const socket = new WebSocket(location.href.replace(/^http/, 'ws').replace(/\\/[^/]*$/, '/ws'))
    socket.onopen = () => socket.send('hello, socket')
    socket.onmessage = (event) => { show('echoed: ' + event.data); socket.close() }
    socket.onerror = () => show('the WebSocket failed')
  }
</script>
</html>
`
}
