import { openPair } from '../../../src/cache/redis/pair.ts'
import { sessionContract } from './session.ts'

sessionContract('the ioredis pair', (access, by, prefixes) => (hooks, signal) => openPair(access, { by, prefixes }, hooks, signal))
