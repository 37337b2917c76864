import { type ChildProgram, startChild, untilListening } from './child-program.ts'
import { freePort } from './free-port.ts'
import { npmApp } from './npm-app.ts'
import { tempDir } from './temp-dir.ts'

export type NodeRed = AsyncDisposable & {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly output: ChildProgram['output']
  /** Presses the button of the flow's `inject` node: what it sends appears in every open editor. */
  readonly inject: () => Promise<void>
  readonly close: () => Promise<void>
}

const APP = npmApp('node-red')

export const installNodeRed = APP.install

/** What the flow's debug node shows in the editor when `inject` was called. */
export const NODE_RED_MESSAGE = 'hello from the flow'

const FLOW = [
  { id: 'f1', type: 'tab', label: 'Flow 1' },
  {
    id: 'a1',
    type: 'inject',
    z: 'f1',
    name: 'press',
    props: [{ p: 'payload' }],
    payload: NODE_RED_MESSAGE,
    payloadType: 'str',
    x: 140,
    y: 80,
    wires: [['b1']],
  },
  {
    id: 'b1',
    type: 'debug',
    z: 'f1',
    name: 'show',
    active: true,
    tosidebar: true,
    complete: 'payload',
    targetType: 'msg',
    x: 340,
    y: 80,
    wires: [],
  },
]

/**
 * Node-RED, an editor of flows whose pages are kept up to date over a WebSocket. It asks no other
 * host for anything and keeps everything in a temporary directory.
 */
export async function startNodeRed(): Promise<NodeRed> {
  await APP.install()
  const port = await freePort()
  const dir = tempDir()
  dir.write('flows.json', JSON.stringify(FLOW))
  const settings = dir.write(
    'settings.cjs',
    `module.exports = {
  uiHost: '127.0.0.1',
  uiPort: ${port},
  userDir: ${JSON.stringify(dir.path)},
  flowFile: 'flows.json',
  credentialSecret: 'of-the-test',
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false },
  externalModules: { palette: { allowInstall: false } },
}
`,
  )
  const url = `http://127.0.0.1:${port}`
  const program = startChild(
    process.execPath,
    [APP.at('node_modules/node-red/red.js'), '--settings', settings],
    { cwd: dir.path, env: { HOME: dir.path, NODE_OPTIONS: undefined } },
  )
  const close = async (): Promise<void> => {
    await program.close()
    dir.remove()
  }
  try {
    await untilListening(program, port, 'Node-RED', 45_000)
    await untilStarted(url)
  } catch (error) {
    await close()
    throw error
  }
  return {
    port,
    url,
    output: program.output,
    inject: async () => {
      const answer = await fetch(`${url}/inject/a1`, { method: 'POST' })
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** It listens before its flows run. */
async function untilStarted(url: string): Promise<void> {
  const deadline = Date.now() + 45_000
  while (!(await fetch(`${url}/nodes`)).ok) {
    if (Date.now() > deadline) throw new Error('Node-RED does not start its flows')
  }
}
