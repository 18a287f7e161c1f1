/** An address as people write it. */
import type { BindAddress } from './settings.ts'

/** `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/x.sock` */
export function showAddress(address: BindAddress): string {
  if (address.is === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
