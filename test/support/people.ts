import { join } from 'node:path'
import { checkRegistration } from '../../src/accounts/registration.ts'
import { openVault } from '../../src/compose/vault.ts'
import { createKdf } from '../../src/factors/kdf.ts'
import { createPasswordHasher } from '../../src/factors/password.ts'
import { createTotp } from '../../src/factors/totp/totp.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { Secret } from '../../src/lib/secret.ts'
import { type Authenticator, createAuthenticator } from './authenticator.ts'
import type { Browser, Page } from './browser-client.ts'

/** Somebody who can sign in. */
export type Person = {
  readonly name: string
  readonly displayName: string
  readonly email: string
  readonly groups: readonly string[]
  readonly password: string
  /** Absent: the password is all there is. */
  readonly authenticator: Authenticator | undefined
}

/**
 * Adds an account to the store in `dataDir`, as the command line does: Sallyport may be running.
 * It has a second factor unless `totp` is false.
 */
export async function addPerson(
  dataDir: string,
  name: string,
  more: Partial<Omit<Person, 'name' | 'authenticator'>> & { readonly totp?: boolean } = {},
): Promise<Person> {
  const { totp = true, ...given } = more
  const person: Person = {
    name,
    displayName: name,
    email: '',
    groups: [],
    password: 'correct horse battery',
    ...given,
    authenticator: totp ? createAuthenticator() : undefined,
  }
  await using vault = await openVault({ store: { path: join(dataDir, 'sallyport.db') } })
  const checked = await checkRegistration(
    { ...person, username: name, password: new Secret(person.password) },
    { check: async () => ({ kind: 'ok' }) },
  )
  if (checked.kind === 'refused') throw new Error(JSON.stringify(checked.problems))
  const hashed = await createPasswordHasher({ kdf: createKdf() }).hash(new Secret(person.password))
  if (hashed.kind === 'busy') throw new Error('the password could not be hashed')
  const account = { ...checked.account, passwordHash: hashed.phc }
  await vault.store.accounts.add(account, systemClock.now())
  const added = await vault.store.accounts.byName(checked.account.name)
  if (added === undefined) throw new Error(`${name} was not added`)
  if (person.authenticator !== undefined) {
    const service = createTotp({ store: vault.store.totp, keys: vault.keys, clock: systemClock })
    await service.addSecret(added.id, person.authenticator.secret, 'test')
  }
  return person
}

/** Opens `url`, signs in where that leads, and gives the page it ends on. */
export async function signIn(browser: Browser, url: string, person: Person): Promise<Page> {
  const login = await browser.open(url, { follow: true })
  const next = await browser.submit(
    login,
    login.form('login'),
    { username: person.name, password: person.password },
    { follow: true },
  )
  if (person.authenticator === undefined) return next
  const totp = await person.authenticator.next()
  return browser.submit(next, next.form('totp'), { totp }, { follow: true })
}
