import type { Answer } from './answer.ts'

/** Answers for whoever runs the process: is it alive, may it be sent traffic. */
export type Health = {
  /** The probe of this path, or `undefined` when the path is none. */
  readonly probe: (path: string) => Promise<Answer> | undefined
  /** From now on not ready: no new traffic, please. */
  readonly drain: () => void
}

/** A store that does not answer within this is not there. */
const PATIENCE = 1000

export function createHealth(deps: { readonly ping: () => Promise<void> }): Health {
  let draining = false
  const ready = async (): Promise<Answer> => {
    if (draining) return answer(503, { status: 'draining', store: 'unknown' })
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error('late')), PATIENCE)
    try {
      await Promise.race([deps.ping(), late.promise])
      return answer(200, { status: 'ready', store: 'ok' })
    } catch {
      return answer(503, { status: 'not_ready', store: 'unavailable' })
    } finally {
      clearTimeout(timer)
    }
  }
  return {
    probe: (path) => {
      switch (path) {
        case '/livez':
        case '/.sallyport/livez':
          return Promise.resolve(answer(200, { status: 'alive' }))
        case '/readyz':
        case '/.sallyport/readyz':
          return ready()
        default:
          return undefined
      }
    },
    drain: () => {
      draining = true
    },
  }
}

function answer(status: number, state: Readonly<Record<string, string>>): Answer {
  return {
    status,
    headers: [
      ['Content-Type', 'application/json'],
      ['Cache-Control', 'no-store'],
    ],
    body: `${JSON.stringify(state)}\n`,
  }
}
