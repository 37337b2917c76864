import type { Contract } from '../check/contract.ts'
import { type Answer, plainAnswer } from '../http/answer.ts'
import type { Host } from '../http/host.ts'
import type { Site } from '../http/site.ts'
import { type Visit, visitUrl } from '../http/visit.ts'
import { networkKey } from '../lib/network.ts'
import { BUDGETS } from '../limits/budgets.ts'
import type { Budget, Limiter } from '../limits/limiter.ts'
import type { CorsGate } from './cors-gate.ts'
import type { Denials } from './denials.ts'
import { isLimited, type Judge, type Passage } from './judge.ts'

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
  readonly limiter: Limiter
  readonly siteOf: (host: Host) => Site
  readonly denials: Denials
  readonly cors?: CorsGate | undefined
  /** What an address pays preflights from. */
  readonly preflights: Budget
}): ForwardAuth {
  const { judge, denials, cors } = deps
  const isLoop = ({ client }: Visit): boolean =>
    deps.limiter.take(BUDGETS.askAgain, networkKey(client.address)).kind === 'limited'
  return (visit, contract, wantsPage) => {
    if (!visit.client.throughProxy) {
      return plainAnswer(401, 'This address is not listed under trusted_proxies.\n')
    }
    const reading = contract.read(visit.headers, visit)
    if (reading.kind === 'refused') {
      return plainAnswer(400, `${reading.header} is missing, blank, repeated or malformed.\n`)
    }
    const { asked } = reading
    if (asked.address !== undefined && asked.address !== visit.client.address) {
      return plainAnswer(400, FOREIGN_HOP)
    }
    const asking: Visit = {
      requestId: visit.requestId,
      client: visit.client,
      headers: visit.headers,
      method: asked.method,
      host: asked.host,
      target: asked.target,
      site: deps.siteOf(asked.host),
    }
    const allow = (app: string, headers: Answer['headers']): Answer => {
      if (sizeOf(headers) > MAX_IDENTITY_BYTES) {
        const refusal = denials.identityTooLarge(asking, app)
        return wantsPage ? refusal : contract.adapt(refusal)
      }
      // The page is fetched after a refusal: if it is allowed by now, ask for it again.
      if (wantsPage) return isLoop(asking) ? denials.lostCookie(asking) : again(asking)
      return {
        status: 200,
        headers: cors === undefined ? headers : [...headers, ...cors.headersFor(asking)],
        body: '',
      }
    }
    const render = (passage: Passage): Answer | Promise<Answer> => {
      if (!isLimited(passage)) cors?.meet(asking, 'note')
      if (passage.kind === 'pass') {
        if (asked.websocket && !passage.app.allowsOrigin(asking)) {
          return contract.adapt(denials.foreignOrigin(asking))
        }
        const { app } = passage
        const headers = app.identify(passage.authorization)
        return headers instanceof Promise
          ? headers.then(
              (late) => allow(app.name, late),
              (error) => contract.adapt(judge.failed(asking, error)),
            )
          : allow(app.name, headers)
      }
      return wantsPage ? passage.answer : contract.adapt(passage.answer)
    }
    // SECURITY: 204 is an allow to the other contracts: their proxies are to send us the preflight.
    if (contract.onlyOkAllows === true && cors?.asks(asking) === true) {
      const met = judge.spend(asking, deps.preflights) ?? cors.meet(asking, 'answer')
      if (met !== undefined) return contract.adapt(met)
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

/**
 * What the identity headers of an allow may add up to. With the rest of the head the answer stays
 * below 8 KiB, which the recipes let every proxy take; a shorter list of groups would be a lie.
 */
export const MAX_IDENTITY_BYTES = 7 * 1024

const FOREIGN_HOP =
  'X-Forwarded-For does not lead to Sallyport-Client: ' +
  'list the address the proxy appends under trusted_proxies.\n'

/** Names and values, with what separates them on the wire. Values are ASCII. */
function sizeOf(headers: readonly (readonly [string, string])[]): number {
  let size = 0
  for (const [name, value] of headers) size += name.length + value.length + 4
  return size
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
