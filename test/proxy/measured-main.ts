import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * The program itself, which on `SIGUSR2` takes out the garbage and prints what is left in use:
 * resident memory says little, because the runtime keeps what it once had.
 */
setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')
let asked = 0

process.on('SIGUSR2', () => {
  gc()
  // What was closed is let go of a turn later.
  setTimeout(() => {
    gc()
    const { heapUsed, external, rss } = process.memoryUsage()
    const line = { event: 'test.memory', asked: ++asked, used: heapUsed + external, rss }
    process.stdout.write(`${JSON.stringify(line)}\n`)
  }, 50)
})

await import('../../src/main.ts')
