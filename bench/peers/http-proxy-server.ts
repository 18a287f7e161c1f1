/** http-proxy and http-proxy-3, which share one API: node http-proxy-server.ts PORT ORIGIN_PORT PACKAGE */
import { Agent, createServer, type IncomingMessage, ServerResponse } from 'node:http'

interface Proxy {
  web(request: IncomingMessage, response: ServerResponse): void
  on(event: 'error', listener: (error: Error, request: IncomingMessage, response: unknown) => void): void
}
interface Package {
  createProxyServer(options: { target: string; agent: Agent; xfwd: boolean }): Proxy
}

const [, , port, originPort, name = ''] = process.argv
const loaded: Package & { default?: Package } = await import(name)
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
const proxy = (loaded.default ?? loaded).createProxyServer({ target: `http://127.0.0.1:${originPort}`, agent, xfwd: true })
proxy.on('error', (_error, _request, response) => {
  if (response instanceof ServerResponse) response.destroy()
})
const server = createServer((request, response) => proxy.web(request, response))
server.keepAliveTimeout = 3_600_000
server.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 })
