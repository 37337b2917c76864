import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const PORTS = `
  const { freePort } = await import(${JSON.stringify(join(import.meta.dirname, 'free-port.ts'))})
  const ports = []
  for (let n = 0; n < 200; n += 1) ports.push(await freePort())
  process.stdout.write(JSON.stringify(ports))
  process.stdin.resume().once('end', () => process.exit())`

t.test('freePort() gives processes that run at once no port twice', async (t) => {
  const processes = [1, 2, 3].map(() => {
    const started = run(process.execPath, ['--input-type=module', '--eval', PORTS])
    const first = new Promise<readonly number[]>((resolve) => {
      started.child.stdout?.once('data', (text: Buffer | string) => resolve(JSON.parse(`${text}`)))
    })
    return { started, first }
  })
  const given = (await Promise.all(processes.map(({ first }) => first))).flat()
  for (const { started } of processes) {
    started.child.stdin?.end()
    await started
  }
  t.equal(given.length, 600)
  t.equal(new Set(given).size, 600)
})
