import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

/** What `npm publish` sends to `/NAME` for version 1.0.0 of a package with nothing in it. */
export function npmPublication(name: string): string {
  // An empty archive: two blocks of zeros.
  const archive = gzipSync(Buffer.alloc(1024))
  const file = `${name}-1.0.0.tgz`
  const manifest = {
    name,
    version: '1.0.0',
    description: `The package ${name}`,
    _id: `${name}@1.0.0`,
    dist: {
      shasum: createHash('sha1').update(archive).digest('hex'),
      tarball: `http://localhost/${name}/-/${file}`,
    },
  }
  return JSON.stringify({
    _id: name,
    name,
    'dist-tags': { latest: '1.0.0' },
    versions: { '1.0.0': manifest },
    _attachments: {
      [file]: {
        content_type: 'application/octet-stream',
        data: archive.toString('base64'),
        length: archive.length,
      },
    },
  })
}
