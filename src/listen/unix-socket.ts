import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { AppError } from '../lib/app-error.ts'
import type { SocketAddress } from './listen-address.ts'

/**
 * Makes the server listen on a Unix socket that only those `mode` names can connect to, from its
 * first moment on. A socket that an earlier process left behind is replaced.
 *
 * @throws AppError `listen_failed` when something else is there
 */
export async function listenOnSocket(server: Server, { path, mode }: SocketAddress): Promise<void> {
  await clear(path)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('listening', resolve)
  server.once('error', reject)
  // The socket is made within `listen`: nobody can connect before its mode is right.
  const before = process.umask(0o777 & ~mode)
  try {
    server.listen({ path })
  } finally {
    process.umask(before)
  }
  try {
    await promise
  } finally {
    server.off('listening', resolve)
    server.off('error', reject)
  }
  chmodSync(path, mode)
}

async function clear(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  if (!there.isSocket()) {
    throw new AppError('listen_failed', `Cannot listen on ${path}: it is not a socket.`)
  }
  if (await answers(path)) {
    throw new AppError(
      'listen_failed',
      `Cannot listen on ${path}: something else listens there already.`,
    )
  }
  unlinkSync(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // Refused: nobody listens. Anything else, such as a lack of permission, is somebody.
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')
    })
  })
}
