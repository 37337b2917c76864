import t from 'tap'
import { type AnswerKind, answerKind } from '../../src/http/answer-kind.ts'
import { formProof } from '../../src/http/form-proof.ts'
import { chooseLanguage } from '../../src/http/language.ts'

const OWN = 'https://app.example.com'
type Fields = Readonly<Record<string, string>>
const raw = (fields: Fields) => Object.entries(fields).flat()

t.test('answerKind() tells who sees the answer', async (t) => {
  const html = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
  const mode = (Mode: string, Dest?: string, Site?: string): Fields => ({
    ...html,
    'Sec-Fetch-Mode': Mode,
    ...(Dest === undefined ? {} : { 'Sec-Fetch-Dest': Dest }),
    ...(Site === undefined ? {} : { 'Sec-Fetch-Site': Site }),
  })
  const cases: readonly (readonly [method: string, fields: Fields, kind: AnswerKind])[] = [
    ['GET', mode('navigate', 'document'), 'page'],
    ['HEAD', mode('navigate', 'document'), 'page'],
    ['GET', mode('navigate'), 'page'],
    ['GET', mode('Navigate', 'Document'), 'page'],
    ['POST', mode('navigate', 'document', 'same-origin'), 'form'],
    ['POST', mode('navigate', 'document', 'cross-site'), 'page'],
    ['POST', mode('navigate', 'document', 'same-site'), 'page'],
    ['POST', mode('navigate', 'document'), 'page'],
    ...['iframe', 'frame', 'embed', 'object'].map(
      (dest) => ['GET', mode('navigate', dest), 'frame'] as const,
    ),
    ['GET', mode('navigate', 'empty'), 'program'],
    ...['cors', 'no-cors', 'same-origin', 'websocket', ''].map(
      (m) => ['GET', mode(m, 'empty'), 'program'] as const,
    ),
    ['GET', mode('no-cors', 'image'), 'program'],
    ['GET', mode('cors', 'document'), 'program'],
    ['OPTIONS', mode('cors', 'empty', 'cross-site'), 'program'],
    ['GET', html, 'page'],
    ['POST', html, 'page'],
    ['POST', { ...html, Origin: OWN }, 'form'],
    ['POST', { ...html, Origin: 'https://other.example.com' }, 'page'],
    ['POST', { ...html, Origin: 'null' }, 'page'],
    ['PUT', { Accept: '*/*', Origin: OWN }, 'program'],
    ['GET', { Accept: 'TEXT/HTML' }, 'page'],
    ['GET', {}, 'program'],
    ['GET', { Accept: '*/*' }, 'program'],
    ['GET', { Accept: 'application/json' }, 'program'],
    ['GET', { Accept: 'text/html, text/event-stream' }, 'program'],
    ['GET', { ...html, 'X-Requested-With': 'XMLHttpRequest' }, 'program'],
    ['GET', { ...html, Authorization: 'Bearer x' }, 'program'],
    ['GET', { ...html, Upgrade: 'websocket' }, 'program'],
  ]
  for (const [method, fields, kind] of cases) {
    t.equal(answerKind(method, raw(fields), OWN), kind, `${method} ${JSON.stringify(fields)}`)
  }
})

t.test('formProof() needs every word there is to say "our own page" (E12)', async (t) => {
  const own = 'https://auth.example.com'
  const proof = (fields: Fields) => formProof(raw(fields), own)
  t.equal(proof({ Origin: own }), 'ours')
  t.equal(proof({ 'Sec-Fetch-Site': 'same-origin' }), 'ours')
  t.equal(proof({ origin: own, 'sec-fetch-site': 'same-origin' }), 'ours')
  t.equal(proof({}), 'unknown')
  t.equal(proof({ Referer: `${own}/x` }), 'unknown', 'that is no proof')
  const foreign = [
    'NULL',
    '',
    'https://evil.example',
    'http://auth.example.com',
    `${own}/`,
    `${own}:443`,
  ]
  for (const origin of [
    ...foreign,
    `${own}.evil`,
    'https://app.example.com',
    own.toUpperCase(),
    `${own} `,
  ]) {
    t.equal(proof({ Origin: origin }), 'foreign', origin)
    t.equal(proof({ Origin: origin, 'Sec-Fetch-Site': 'same-origin' }), 'foreign', origin)
  }
  for (const site of ['cross-site', 'same-site', 'none', '', 'Same-Origin', 'same-origin, none']) {
    t.equal(proof({ 'Sec-Fetch-Site': site }), 'foreign', site)
    t.equal(proof({ Origin: own, 'Sec-Fetch-Site': site }), 'foreign', site)
  }
  t.equal(formProof(['Origin', own, 'Origin', 'null'], own), 'foreign', 'one wrong word is enough')
  t.equal(proof({ Origin: 'null' }), 'unknown', 'as from a page with no-referrer')
  t.equal(proof({ Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }), 'unknown')
  t.equal(proof({ Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }), 'foreign')
})

t.test(
  'chooseLanguage() takes the choice, then the habit, then what the browser asks for',
  async (t) => {
    const choose = (chosen?: string, kept?: string, accept?: string) =>
      chooseLanguage(['en', 'fr'], { chosen, kept, accept })
    t.equal(choose(), 'en')
    t.equal(choose('fr', 'en', 'en'), 'fr')
    t.equal(choose('xx', 'fr', 'en'), 'fr')
    const profiled = (asked?: string, profile?: string, chosen?: string) =>
      chooseLanguage(['en', 'fr'], { chosen, asked, profile, kept: 'en', accept: 'en' })
    t.equal(profiled(undefined, 'fr'), 'fr', 'the account’s before the browser’s')
    t.equal(profiled(undefined, ''), 'en')
    t.equal(profiled('de-AT fr-CA en', 'en'), 'fr', 'who sent them here before the account')
    t.equal(profiled('fr', 'fr', 'en'), 'en', 'a choice on this very page before all')
    t.equal(profiled(`${'x '.repeat(500)}fr`), 'en', 'a list without end is not read to it')
    t.equal(choose(undefined, undefined, 'fr-CA,en;q=0.8'), 'fr')
    t.equal(choose(undefined, undefined, 'de, en;q=0.2, FR ; q=0.9'), 'fr')
    t.equal(choose(undefined, undefined, 'fr;q=0, en;q=0.1'), 'en')
    for (const rubbish of [
      '',
      ',,,',
      ';q=',
      'fr;q=1.2.3',
      '*',
      '\u0000',
      '__proto__',
      'constructor',
      'x'.repeat(9000),
    ]) {
      t.equal(choose(rubbish, rubbish, rubbish), 'en', rubbish.slice(0, 20))
    }
  },
)
