#!/usr/bin/env node
// The first thing that runs: plain JavaScript that any Node ≥ 12 parses. It says when this Node is too old, then loads baton.
import { existsSync } from 'node:fs'
import net from 'node:net'
import { fileURLToPath } from 'node:url'

const here = (path) => new URL(path, import.meta.url)

// `isPipe` came with Unix socket paths; a BoundSocket without it would bind a TCP port in their place.
const newEnough = typeof net.BoundSocket === 'function' && 'isPipe' in net.BoundSocket.prototype

if (newEnough) {
  const main = existsSync(here('../dist/main.js')) ? '../dist/main.js' : '../src/main.ts'
  import(here(main).href).then((baton) => baton.main(process.argv.slice(2)))
} else {
  const cloned = existsSync(here('../node_modules/.bin/node'))
  const how = cloned
    ? `use "npm start", or ${fileURLToPath(here('../node_modules/.bin/node'))}`
    : 'install it from nodejs.org, or run "npm ci" in a clone of baton and use node_modules/.bin/node'
  process.stderr.write(`baton: this is Node.js ${process.versions.node}; baton needs 24.21 or later, or 26.10 or later: ${how}\n`)
  process.exitCode = 2
}
