/** A real keeper process around a small generation of the tests' own. */
import { fileURLToPath } from 'node:url'
import { BatonError } from '../../../src/errors.ts'
import { keep, keeperTiming } from '../../../src/keeper/keeper.ts'
import { stderrLog } from '../../../src/keeper/log.ts'
import { realWorld } from '../../../src/world.ts'

const program = (name: string): string[] => [process.execPath, fileURLToPath(new URL(name, import.meta.url))]

try {
  process.exitCode = await keep({
    listenersArgv: program('listeners.ts'),
    generationArgv: program('generation.ts'),
    world: realWorld,
    log: stderrLog(realWorld),
    timing: { ...keeperTiming, ...JSON.parse(process.env.TEST_TIMING ?? '{}') },
  })
} catch (error) {
  if (!(error instanceof BatonError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = error.exit
}
process.exit()
