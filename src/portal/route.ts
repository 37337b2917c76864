import type { Answer } from '../http/answer.ts'
import type { Visit } from '../http/visit.ts'
import type { Form } from './form.ts'

/** `GET` shows a page and changes nothing. */
export type ShowRoute = {
  readonly method: 'GET'
  readonly path: string
  readonly handle: (visit: Visit, query: URLSearchParams) => Promise<Answer>
}

/** `POST` runs the core. It is called only with a form that came from our own page. */
export type SubmitRoute = {
  readonly method: 'POST'
  readonly path: string
  readonly handle: (visit: Visit, form: Form) => Promise<Answer>
}

export type Route = ShowRoute | SubmitRoute
