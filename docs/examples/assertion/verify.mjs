// npm install jose
import { createInterface } from 'node:readline'
import { createRemoteJWKSet, jwtVerify } from 'jose'

// Fetched once, kept, and fetched again when a key is new.
const keys = createRemoteJWKSet(new URL(process.env.SALLYPORT_JWKS))

/** Who sends the request, or an error: then answer 401 and nothing else. */
async function whoIs(assertion) {
  const { payload } = await jwtVerify(assertion, keys, {
    algorithms: ['ES256'],
    typ: 'sallyport-assertion+jwt',
    issuer: process.env.SALLYPORT_ISSUER,
    audience: process.env.SALLYPORT_AUDIENCE,
    requiredClaims: ['sub', 'iat', 'exp'],
  })
  return payload
}

// In an app: whoIs(request.headers['sallyport-assertion']). Here: one a line.
for await (const line of createInterface({ input: process.stdin })) {
  const person = await whoIs(line).catch(() => undefined)
  process.stdout.write(person ? `welcome ${person.preferred_username}\n` : 'refused\n')
}
