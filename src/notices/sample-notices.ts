import { parseUserId } from '../identity/principal.ts'
import { HOUR, MINUTE } from '../lib/duration.ts'
import { Secret } from '../lib/secret.ts'
import type { Notice, NoticeKind, NoticeOrigin, Recipient } from './notice.ts'

/** A notice with the name its preview is given. */
export type SampleNotice = { readonly name: string; readonly notice: Notice }

/** Each kind of notice, in every form that reads differently. For previews and tests. */
export function sampleNotices(base: { readonly home: string; readonly at: number }) {
  const { home, at } = base
  const token = 'EXAMPLE-ONLY-THIS-LINK-OPENS-NOTHING-000000'
  const link = (path: string) => new Secret(`${home}/.sallyport/${path}?token=${token}`)
  const kinds: Readonly<Record<NoticeKind, Readonly<Record<string, Notice>>>> = {
    reset_link: {
      '': { kind: 'reset_link', url: link('password/reset'), expiresAt: at + 30 * MINUTE },
    },
    invitation: {
      '': { kind: 'invitation', url: link('invitation'), expiresAt: at + 168 * HOUR, from: '' },
      from: {
        kind: 'invitation',
        url: link('invitation'),
        expiresAt: at + 168 * HOUR,
        from: 'Claire Martin',
      },
    },
    password_changed: {
      '': { kind: 'password_changed', how: 'account_page' },
      reset: { kind: 'password_changed', how: 'reset' },
      operator: { kind: 'password_changed', how: 'operator' },
    },
    factor_added: {
      totp: { kind: 'factor_added', factor: 'totp', label: 'Mon téléphone' },
      passkey: { kind: 'factor_added', factor: 'passkey', label: 'iCloud' },
      phone: { kind: 'factor_added', factor: 'phone', label: '' },
    },
    factor_removed: {
      totp: { kind: 'factor_removed', factor: 'totp', label: 'Mon téléphone' },
      passkey: { kind: 'factor_removed', factor: 'passkey', label: 'iCloud' },
      phone: { kind: 'factor_removed', factor: 'phone', label: '' },
    },
    recovery_codes_created: { '': { kind: 'recovery_codes_created' } },
    token_created: { '': { kind: 'token_created', label: 'Sauvegarde de nuit' } },
    recovery_code_used: {
      '': { kind: 'recovery_code_used', left: 7 },
      few: { kind: 'recovery_code_used', left: 1 },
      none: { kind: 'recovery_code_used', left: 0 },
    },
    new_device: { '': { kind: 'new_device' } },
    second_step_unfinished: { '': { kind: 'second_step_unfinished' } },
    locked: { '': { kind: 'locked', until: at + 15 * MINUTE } },
    sign_in_link_used: { '': { kind: 'sign_in_link_used' } },
    token_reused: { '': { kind: 'token_reused' } },
    test: { '': { kind: 'test' } },
  }
  const notices: readonly SampleNotice[] = Object.entries(kinds).flatMap(([kind, forms]) =>
    Object.entries(forms).map(([form, notice]) => ({
      name: form === '' ? kind : `${kind}-${form}`,
      notice,
    })),
  )
  const origin: NoticeOrigin = {
    requestId: '7F3K-2Q9D',
    at,
    address: '203.0.113.7',
    userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0',
  }
  return { notices, origin }
}

/** Somebody who does not exist. */
export function sampleRecipient(language: Recipient['language']): Recipient {
  const id = parseUserId('usr_AAAAAAAAAAAAAAAAAAAAAA')
  if (id === undefined) throw new TypeError('the sample has no user id')
  return { id, name: 'alice', displayName: 'Alice Martin', email: 'alice@example.com', language }
}
