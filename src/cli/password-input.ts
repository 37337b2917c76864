import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { AppError } from '../lib/app-error.ts'
import { Secret } from '../lib/secret.ts'
import { Exit } from './output.ts'

/**
 * A password from standard input or from a prompt; never from an argument, which others can see.
 * @throws AppError `usage` also for one with a line break or another control character: no form of
 *   a browser could send it
 */
export async function readPassword(
  fromStdin: boolean,
  streams: {
    readonly stdin: NodeJS.ReadStream
    readonly stderr: NodeJS.WritableStream
  } = process,
): Promise<Secret<string>> {
  if (fromStdin) {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of streams.stdin) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      if (size > 4096) throw new AppError('usage', 'The password on standard input is too long.')
      chunks.push(bytes)
    }
    const text = Buffer.concat(chunks).toString('utf8')
    return typable(text.replace(/\r?\n$/, ''))
  }
  if (streams.stdin.isTTY !== true) {
    throw new AppError(
      'usage',
      'There is no terminal to ask for a password. Send it on standard input: --password-stdin',
    )
  }
  const first = await ask('Password: ', streams)
  const second = await ask('Again: ', streams)
  if (first !== second) throw new AppError('usage', 'The two passwords are not the same.')
  return typable(first)
}

function typable(text: string): Secret<string> {
  if (!/\p{Cc}/u.test(text)) return new Secret(text)
  throw new AppError(
    'usage',
    'The password has a line break or another control character. Give it as one line of text.',
  )
}

/** Asks without showing what is typed. @throws Exit 130 at Ctrl+C */
function ask(
  question: string,
  streams: { readonly stdin: NodeJS.ReadStream; readonly stderr: NodeJS.WritableStream },
): Promise<string> {
  streams.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: streams.stdin, output: silent, terminal: true })
  return new Promise((resolve, reject) => {
    reader.once('SIGINT', () => {
      reader.close()
      streams.stderr.write('\n')
      reject(new Exit(130))
    })
    reader.question('', (answer) => {
      streams.stderr.write('\n')
      reader.close()
      resolve(answer)
    })
  })
}
