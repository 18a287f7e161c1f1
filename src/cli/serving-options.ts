/** V8's options for what serves (docs/decisions/0010). */

/**
 * Most of what an exchange allocates is gone with it, so a small young heap is enough and stays in the processor's cache; the compiler in the
 * middle saves nothing that lasts. Measured: 140 → 103 MB at 64 connections, the same CPU.
 */
const always: readonly string[] = ['--max-semi-space-size=4', '--no-maglev']

/**
 * Before 14.8 V8 counts every byte of buffers since it last marked the whole heap, dead ones too: with bodies of 1 MB it did so every 64 of
 * them, for a fifth of all CPU time. With this it counts those that are held; from 14.8 on it always does, and the option is gone.
 */
const beforeItWasTheRule = '--external-memory-accounted-in-global-limit'

/** `v8` as in `process.versions`. */
export function servingOptions(v8: string): readonly string[] {
  const [major = 0, minor = 0] = v8.split('.').map(Number)
  return major > 14 || (major === 14 && minor >= 8) ? always : [...always, beforeItWasTheRule]
}
