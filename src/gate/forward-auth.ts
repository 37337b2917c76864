import type { Contract } from '../check/contract.ts'
import { type Answer, plainAnswer } from '../http/answer.ts'
import type { Host } from '../http/host.ts'
import type { Site } from '../http/site.ts'
import { type Visit, visitUrl } from '../http/visit.ts'
import type { Denials } from './denials.ts'
import type { Judge, Passage } from './judge.ts'

/**
 * Answers a proxy's question about a request: 200 with every identity header, or a refusal in the
 * form the contract passes on. `wantsPage`: the proxy fetches the refusal for the visitor, who
 * must never be shown an empty allow.
 */
export type ForwardAuth = (
  visit: Visit,
  contract: Contract,
  wantsPage: boolean,
) => Answer | Promise<Answer>

export function createForwardAuth(deps: {
  readonly judge: Judge
  readonly siteOf: (host: Host) => Site
  readonly denials: Denials
}): ForwardAuth {
  const { judge, denials } = deps
  return (visit, contract, wantsPage) => {
    if (!visit.client.throughProxy) {
      return plainAnswer(401, 'This address is not listed under trusted_proxies.\n')
    }
    const reading = contract.read(visit.headers)
    if (reading.kind === 'refused') {
      return plainAnswer(400, `${reading.header} is missing, blank, repeated or malformed.\n`)
    }
    const { asked } = reading
    const asking: Visit = {
      requestId: visit.requestId,
      client: visit.client,
      headers: visit.headers,
      method: asked.method,
      host: asked.host,
      target: asked.target,
      site: deps.siteOf(asked.host),
    }
    const render = (passage: Passage): Answer => {
      if (passage.kind === 'pass') {
        if (asked.websocket && !passage.app.allowsOrigin(asking)) {
          return contract.adapt(denials.foreignOrigin(asking))
        }
        // The page is fetched after a refusal: if it is allowed by now, ask for it again.
        if (wantsPage) return again(asking)
        return {
          status: 200,
          headers: passage.app.identify(passage.authorization.decision),
          body: '',
        }
      }
      return wantsPage ? passage.answer : contract.adapt(passage.answer)
    }
    const settle = (work: Passage | Promise<Passage>) =>
      work instanceof Promise
        ? work.then(render, (error) => contract.adapt(judge.failed(asking, error)))
        : render(work)
    try {
      return settle(judge.judge(asking))
    } catch (error) {
      return contract.adapt(judge.failed(asking, error))
    }
  }
}

/** The same address once more. */
function again(visit: Visit): Answer {
  return {
    status: 303,
    headers: [
      ['Location', visitUrl(visit)],
      ['Cache-Control', 'no-store'],
    ],
    body: '',
  }
}
