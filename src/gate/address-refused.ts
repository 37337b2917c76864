import { type Answer, problemJson } from '../http/answer.ts'
import { answerKind } from '../http/answer-kind.ts'
import { chooseLanguage } from '../http/language.ts'
import { firstHeader } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'

/**
 * The refusal of an address: short, whole in itself, and the same whatever list or ban it was.
 * It leads nowhere and loads nothing, because nothing else would be answered either.
 */
export function addressRefused(visit: Pick<Visit, 'requestId' | 'method' | 'headers'>): Answer {
  const { requestId, method, headers } = visit
  if (answerKind(method, headers) === 'program') {
    return problemJson({
      status: 403,
      title: TEXT.en.title,
      code: 'address_refused',
      reference: requestId,
    })
  }
  const accept = firstHeader(headers, 'accept-language')
  const language = chooseLanguage(['en', 'fr'], { chosen: undefined, kept: undefined, accept })
  const { title, body, reference } = TEXT[language]
  return {
    status: 403,
    headers: [
      ['Content-Type', 'text/html; charset=utf-8'],
      ['Cache-Control', 'no-store'],
      ['Content-Security-Policy', "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"],
      ['Referrer-Policy', 'no-referrer'],
      ['Vary', 'Accept, Accept-Language'],
      ['X-Content-Type-Options', 'nosniff'],
    ],
    body: [
      `<!doctype html><html lang="${language}"><meta charset="utf-8">`,
      '<meta name="viewport" content="width=device-width">',
      `<title>${title}</title><h1>${title}</h1><p>${body}</p><p>${reference}${requestId}</p></html>\n`,
    ].join(''),
  }
}

const TEXT = {
  en: {
    title: 'Not allowed from this address',
    body: 'Requests from your network are not accepted here.',
    reference: 'Reference: ',
  },
  fr: {
    title: 'Accès impossible depuis cette adresse',
    body: 'Les requêtes de votre réseau ne sont pas acceptées ici.',
    reference: 'Référence\u00a0: ',
  },
} as const
