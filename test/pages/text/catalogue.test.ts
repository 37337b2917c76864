import t from 'tap'
import { catalogue } from '../../../src/pages/text/catalogue.ts'

/** Every text of a catalogue that takes no value, by its path. */
function fixedTexts(node: unknown, path = ''): ReadonlyMap<string, string> {
  if (typeof node === 'string') return new Map([[path, node]])
  if (typeof node !== 'object' || node === null) return new Map()
  return new Map(
    Object.entries(node).flatMap(([key, child]) => [...fixedTexts(child, `${path}.${key}`)]),
  )
}

t.test('catalogue() has every text in both languages, and no text twice the same', async (t) => {
  const fr = fixedTexts(catalogue('fr'))
  const en = fixedTexts(catalogue('en'))
  t.strictSame([...en.keys()].sort(), [...fr.keys()].sort())
  const same = [...fr].filter(([path, text]) => text !== '' && en.get(path) === text)
  t.strictSame(same.map(([path]) => path).sort(), ['.enrol.keyKind'])
  t.strictSame(
    [...fr, ...en].filter(([, text]) => text.trim() === ''),
    [],
  )
})

t.test('catalogue() keeps French typography in every text', async (t) => {
  for (const [path, text] of fixedTexts(catalogue('fr'))) {
    t.notMatch(text, /'|"|\.\.\.|[^\u00a0\u202f][?!]|[^\u00a0\u202f];| :|[^\u00a0]:| [»]|« /, path)
  }
})

t.test('catalogue() counts as each language does', async (t) => {
  const fr = catalogue('fr')
  const en = catalogue('en')
  t.equal(fr.accountPage.codesLeft(0, 10), '0 restant sur 10')
  t.equal(fr.accountPage.codesLeft(2, 10), '2 restants sur 10')
  t.equal(
    fr.accountPage.notice.recovery_used(0),
    'Vous avez utilisé un code de secours. Il ne vous reste aucun code.',
  )
  t.match(en.accountPage.notice.recovery_used(1), 'You have 1 code left.')
  t.match(en.accountPage.notice.recovery_used(2), 'You have 2 codes left.')
  t.equal(
    fr.fieldProblem('password', 'too_short', 1),
    'Le mot de passe doit comporter au moins 1 caractère',
  )
  t.equal(en.fieldProblem('username', 'mismatch'), 'The username is not accepted as it is')
})

t.test('format writes lengths of time with their two largest units', async (t) => {
  const { duration } = catalogue('fr').format
  t.equal(duration(0), '1\u00a0seconde')
  t.equal(duration(59_001), '1\u00a0minute')
  t.equal(duration(252_000), '4\u00a0minutes et 12\u00a0secondes')
  t.equal(duration(90_061_000), '1\u00a0jour et 1\u00a0heure')
  t.equal(duration(30 * 86_400_000), '30\u00a0jours')
  t.equal(catalogue('en').format.duration(3_660_000), '1\u00a0hour, 1\u00a0minute')
})
