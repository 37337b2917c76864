import t from 'tap'
import { helpLink, localLink, webLink, withQuery } from '../../src/pages/link.ts'

t.test('localLink() takes paths of this host only', async (t) => {
  for (const path of ['/', '/a?b=c', '/a//b', '/%2F/x', '/a:b', '/é']) {
    t.equal(localLink(path), path, path)
  }
  const elsewhere = [
    '',
    'a',
    '?a',
    '//x',
    '///x',
    '/\\x',
    '/\t/x',
    '/\n\\x',
    'http://x/',
    '//',
    '/\t/',
  ]
  for (const path of elsewhere) t.equal(localLink(path), undefined, JSON.stringify(path))
})

t.test('webLink() takes local paths and http(s) only', async (t) => {
  for (const url of ['/a', 'https://x.example/', 'http://x.example/']) t.equal(webLink(url), url)
  for (const url of ['javascript:x', ' javascript:x', 'data:,x', 'mailto:a@b', '//x', 'x', '']) {
    t.equal(webLink(url), undefined, url)
  }
})

t.test('helpLink() gives a mail its subject and refuses other schemes', async (t) => {
  t.equal(helpLink(undefined, 's'), undefined)
  t.equal(helpLink('https://x.example/?a=b', 's'), 'https://x.example/?a=b')
  t.equal(helpLink('mailto:a@b', 'é&x'), 'mailto:a@b?subject=%C3%A9%26x')
  t.equal(helpLink('mailto:a@b?cc=c@d', 's'), 'mailto:a@b?cc=c@d&subject=s')
  t.equal(helpLink('mailto:a@b', '\ud800'), 'mailto:a@b?subject=%EF%BF%BD')
  t.equal(helpLink('javascript:x', 's'), undefined)
  t.equal(helpLink('help', 's'), undefined)
})

t.test('withQuery() adds to what is there', async (t) => {
  t.equal(withQuery('/a', 'b', 'c d'), '/a?b=c%20d')
  t.equal(withQuery('/a?x=1', 'b', '&'), '/a?x=1&b=%26')
})
