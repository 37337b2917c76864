import { join } from 'node:path'
import t from 'tap'
import { MINUTE } from '../../../src/lib/duration.ts'
import { startMailServer } from '../../support/mail-server.ts'
import { skipUnless } from '../../support/packages.ts'
import { walksOf } from '../../support/shell-walk.ts'
import { createWalkWorld, EMAIL, ROOT } from './world.ts'

// What five apps had built by hand, each walked through the API as the manual shows it.
const pages = { en: 'docs/en/api-walks.md', fr: 'docs/fr/parcours-de-l-api.md' }
const walks = walksOf(join(ROOT, pages.en))
const [crm, calendar, erp, jobs, records, ...more] = walks
const opts = { timeout: 2 * MINUTE, skip: skipUnless('curl', 'openssl') }

const mail = await startMailServer()
t.teardown(() => mail.close())
const world = await createWalkWorld(t, walks, (walk) => (walk === crm ? mail.config : ''))

t.test('the walks of both languages have the same settings, commands and answers', async (t) => {
  const parts = (path: string) =>
    walksOf(join(ROOT, path)).map(({ settings, steps }) => ({ settings, steps }))
  t.strictSame(parts(pages.fr), parts(pages.en))
  t.strictSame(more, [])
})

t.test('the walk of Alforis CRM: TOTP on, used and off, ten codes, five tries', opts, async (t) => {
  const wanted = [
    'Authenticator app added: Sallyport',
    'New recovery codes: Sallyport',
    'Recovery code used: 9 left',
    'Authenticator app removed: Sallyport',
  ]
  const arrived = () => mail.received.map(({ subject }) => subject ?? '')
  await world.walk(t, crm, {
    end: async () => {
      while (!wanted.every((one) => arrived().includes(one))) {
        await mail.until(mail.received.length + 1, 30_000)
      }
    },
  })
  t.strictSame([...new Set(mail.received.flatMap(({ envelope }) => envelope.to))], [EMAIL])
})

t.test('the walk of uyoop-cal: stages, typed tokens, rotation, five a minute', opts, async (t) => {
  const late = 'update refresh_tokens set spent_at = spent_at - 3600000 where spent_at > 0'
  await world.walk(t, calendar, { moments: { 'an hour later': late } })
  t.strictSame(
    world.echo.requests.flatMap(({ url, all }) => (url === '/events' ? [all('x-user-id')] : [])),
    [['bob']],
    'the app was reached once, and told who it is by Sallyport',
  )
})

t.test('the walk of ERP MIF Maroc: passwords, roles, CORS, revoking all', opts, async (t) => {
  await world.walk(t, erp)
})

t.test('the walk of Drain Fortin CRM: webhooks, rates, an incident', opts, async (t) => {
  await world.walk(t, jobs)
})

t.test('the walk of NOVA MFA: three second steps, locks, an administrator', opts, async (t) => {
  const late = 'update sent_codes set created_at = created_at - 60001'
  await world.walk(t, records, {
    moments: { 'a minute later': late },
    secrets: ['612345678', '6 12 34 56 78'],
  })
})
