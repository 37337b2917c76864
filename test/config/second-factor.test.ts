import t from 'tap'
import { checkSettings } from '../../src/config/load.ts'
import { DAY, HOUR, MINUTE } from '../../src/lib/duration.ts'

async function read(more: string, rule = '{policy: two_factor}') {
  const text = `version: 1
portal: {url: https://auth.example.com}
${more}
apps: [{name: Wiki, host: wiki.example.com, upstream: "http://127.0.0.1:3000", rules: [${rule}]}]
`
  return checkSettings(text, 'config.yaml', { env: {} })
}

async function faults(more: string, rule?: string): Promise<readonly string[]> {
  const result = await read(more, rule)
  const found = result.kind === 'ok' ? result.warnings : result.problems
  return found
    .filter(({ code }) => /SP-156|SP-10|SP-12/.test(code))
    .map(({ code, path }) => `${code} ${path}`)
}

t.test('login.second_factor says who must have one, and how long it may wait', async (t) => {
  const settings = async (more: string) => {
    const result = await read(more)
    return result.kind === 'ok' ? result.settings.login.secondFactor : result.problems
  }
  const nobody = { everybody: false, users: [], groups: [], grace: 7 * DAY }
  t.strictSame(await settings(''), nobody)
  t.strictSame(await settings('login: {second_factor: {required_for: everybody, grace: 36h}}'), {
    ...nobody,
    everybody: true,
    grace: 36 * HOUR,
  })
  t.strictSame(
    await settings('login: {second_factor: {required_for: {users: Bob, groups: [Staff, ops]}}}'),
    { ...nobody, users: ['bob'], groups: ['staff', 'ops'] },
  )
})

t.test('what asks nobody, or twice, is refused', async (t) => {
  const of = (section: string) => faults(`login: {second_factor: ${section}}`)
  const place = 'login.second_factor'
  t.strictSame(await of('{required_for: {}}'), [`SP-1560 ${place}.required_for`])
  t.strictSame(await of('{required_for: {everybody: false}}'), [`SP-1560 ${place}.required_for`])
  t.strictSame(await of('{required_for: {everybody: true, users: [bob]}}'), [
    `SP-1561 ${place}.required_for.users`,
  ])
  t.strictSame(await of('{grace: 7d}'), [`SP-1564 ${place}.grace`], 'a warning')
  t.match((await of('{required_for: {groups: []}}'))[0], /required_for\.groups/)
  t.match((await of('{required_for: all}'))[0], /required_for/)
  t.match((await of('{required_for: {everyone: true}}'))[0], /SP-1004/)
  t.match((await of('{required_for: everybody, grace: soon}'))[0], /grace/)
})

t.test('max_age and factor stand on rules that somebody signs in for', async (t) => {
  const of = (rule: string) => faults('', rule)
  const path = 'apps[0].rules[0]'
  t.strictSame(await of('{policy: two_factor, max_age: 10m, factor: passkey}'), [])
  t.strictSame(await of('{policy: one_factor, max_age: 10m, factor: password}'), [])
  t.strictSame(await of('{policy: public, max_age: 10m}'), [`SP-1562 ${path}.max_age`])
  t.strictSame(await of('{policy: deny, factor: totp}'), [`SP-1562 ${path}.factor`])
  t.strictSame(await of('{policy: one_factor, factor: any_second}'), [`SP-1563 ${path}.factor`])
  t.match((await of('{policy: two_factor, max_age: 10s}'))[0], /max_age/)
  t.match((await of('{policy: two_factor, factor: sms}'))[0], /factor/)
  const result = await read('', '{policy: two_factor, max_age: 10m, factor: totp}')
  t.match(result, {
    settings: { apps: [{ rules: [{ maxAge: 10 * MINUTE, factor: 'totp' }] }] },
  })
})
