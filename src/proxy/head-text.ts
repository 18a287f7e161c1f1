/** A response head as bytes on the wire, where node:http does not write it: status line and fields, each as Latin-1. */
import type { Raw } from '../routing/route.ts'

export function headText(status: number, reason: string, raw: Raw): string {
  let text = `HTTP/1.1 ${status} ${reason}\r\n`
  for (let at = 0; at < raw.length; at += 2) text += `${raw[at]}: ${raw[at + 1]}\r\n`
  return `${text}\r\n`
}
