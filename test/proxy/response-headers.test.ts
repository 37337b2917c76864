import t from 'tap'
import { isOwnCookie } from '../../src/http/cookies.ts'
import { createResponseHeaders, writableFields } from '../../src/proxy/response-headers.ts'

const responseHeaders = createResponseHeaders({ isOwnCookie })

function relayed(status: number, ...fields: string[]): string[] {
  return responseHeaders(
    fields.map((field) => Buffer.from(field, 'latin1')),
    status,
  ).flat()
}

t.test(
  'responseHeaders() passes the app’s fields on, bytes, order and repetition kept',
  async (t) => {
    const fields = [
      'content-TYPE',
      'text/html',
      'Link',
      '</a>',
      'X-N',
      'caf\u00e9 \u00ff',
      'Link',
      '</b>',
    ]
    t.strictSame(relayed(200, ...fields), fields)
    t.strictSame(responseHeaders(fields, 200).flat(), fields, 'from text too')
  },
)

t.test(
  'responseHeaders() leaves out what belongs to the connection and what is nominated (A10)',
  async (t) => {
    t.strictSame(
      relayed(
        200,
        'Connection',
        'X-Secret, close',
        'X-Secret',
        '1',
        'Keep-Alive',
        'timeout=5',
        'Proxy-Authenticate',
        'Basic',
        'Proxy-Connection',
        'x',
        'Trailer',
        'X-T',
        'Upgrade',
        'h2c',
        'TE',
        'x',
        'ETag',
        '"1"',
        'connection',
        'ETag',
      ),
      [],
    )
  },
)

t.test(
  'responseHeaders() frames for the client: no length with a coding, 204 or 1xx',
  async (t) => {
    t.strictSame(relayed(200, 'content-length', '5'), ['Content-Length', '5'])
    t.strictSame(relayed(304, 'Content-Length', '5'), ['Content-Length', '5'])
    t.strictSame(relayed(200, 'Content-Length', '5', 'Connection', 'content-length'), [
      'Content-Length',
      '5',
    ])
    t.strictSame(relayed(200, 'Content-Length', '5', 'Transfer-Encoding', 'chunked'), [])
    t.strictSame(relayed(204, 'Content-Length', '5'), [])
    t.strictSame(relayed(101, 'Content-Length', '5'), [])
  },
)

t.test(
  'responseHeaders() removes our cookies and names, and leaves the app’s cookies alone',
  async (t) => {
    const theirs = ['Set-Cookie', 'a=1; Path=/; HttpOnly', 'set-cookie', 'b=__Host-sallyport']
    t.strictSame(
      relayed(
        200,
        'Set-Cookie',
        '__Host-sallyport=x; Path=/; Secure',
        ...theirs,
        'SET-COOKIE',
        '=sallyport=x',
        'Set-Cookie2',
        'sallyport=x',
        'Sallyport-Assertion',
        'x',
        'sallyport-anything',
        'x',
        'Alt-Svc',
        'h3=":8443"',
      ),
      theirs,
    )
  },
)

t.test('writableFields() drops what cannot be written and keeps the rest', async (t) => {
  t.strictSame(
    writableFields([
      ['X-Good', 'caf\u00e9'],
      ['', 'empty name'],
      ['X Y', 'space'],
      ['X-Bad', 'a\u0000b'],
      ['X-Bad', 'a\r\nX: 1'],
      ['X-Wide', '\u0100'],
      ['X-Del', '\u007f'],
    ]),
    [['X-Good', 'caf\u00e9']],
  )
})
