import type { Dispatcher } from 'undici'
import type { Milliseconds } from '../lib/duration.ts'

/** How an app is asked whether it is well. */
export type HealthCheck = {
  /** Asked for with GET; any status from 200 to 399 is a yes. */
  readonly path: string
  readonly every: Milliseconds
  /** Everything that takes longer is a no. */
  readonly timeout: Milliseconds
}

/**
 * Asks at once and then again and again, one question at a time.
 * @param dispatch sends a request; never throws
 * @param tell called with every answer
 * @returns ends it
 */
export function startHealthCheck(
  dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void,
  check: HealthCheck,
  tell: (healthy: boolean) => void,
): () => void {
  let asking: Question | undefined
  let stopped = false
  const ask = () => {
    if (asking !== undefined) return
    const question = new Question(check.timeout, (healthy) => {
      asking = undefined
      if (!stopped) tell(healthy)
    })
    asking = question
    dispatch({ path: check.path, method: 'GET', body: null }, question)
  }
  const timer = setInterval(ask, check.every).unref()
  ask()
  return () => {
    stopped = true
    clearInterval(timer)
    asking?.give(false)
  }
}

class Question implements Dispatcher.DispatchHandler {
  readonly #answer: (healthy: boolean) => void
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #given = false

  constructor(timeout: Milliseconds, answer: (healthy: boolean) => void) {
    this.#answer = answer
    this.#timer = setTimeout(() => this.give(false), timeout).unref()
  }

  /** The first word counts; what is left of the exchange is of no interest. */
  give(healthy: boolean): void {
    if (this.#given) return
    this.#given = true
    clearTimeout(this.#timer)
    this.#answer(healthy)
    this.#controller?.abort(new Error('the health check is over'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#given) controller.abort(new Error('the health check is over'))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    if (status >= 200) this.give(status < 400)
  }

  onResponseData(): void {}

  onResponseEnd(): void {}

  onResponseError(): void {
    this.give(false)
  }
}
