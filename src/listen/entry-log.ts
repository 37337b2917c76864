import type { Clock } from '../lib/clock.ts'
import type { CertificateNews } from './certificates.ts'
import { createRefusals, type Refusal } from './refusals.ts'

type Write = (line: Readonly<Record<string, unknown>>, message: string) => void

/** What the listeners have to say, as lines of the log. */
export type EntryLog = {
  readonly refused: (reason: Refusal, address: string) => void
  readonly certificateNews: (news: CertificateNews) => void
}

export function createEntryLog(deps: {
  readonly log: Readonly<Record<'info' | 'warn' | 'error', Write>>
  readonly clock: Clock
}): EntryLog {
  const { log, clock } = deps
  return {
    refused: createRefusals({
      clock,
      report: ({ reason, address, count }) => {
        const line = { event: 'connection.refused', outcome: 'deny', reason, count }
        log.warn({ ...line, client_ip: address }, 'connection refused')
      },
    }),
    certificateNews: (news) => {
      const { file } = news
      if (news.kind === 'renewed') {
        log.info({ event: 'tls.renewed', file, until: news.until }, 'certificate renewed')
      } else {
        const line = { event: 'tls.renewal', outcome: 'error', file, reason: news.reason }
        log.error(line, 'the new certificate cannot be used; the one before stays')
      }
    },
  }
}
