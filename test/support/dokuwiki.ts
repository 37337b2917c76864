import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PhpServer, startPhp } from './php-server.ts'

export type DokuWiki = PhpServer & {
  /** Where it keeps an uploaded file of this name. */
  readonly mediaFile: (name: string) => string
}

/** What DokuWiki wants to be there in its data folder. */
const FOLDERS = [
  'attic',
  'cache',
  'index',
  'locks',
  'log',
  'media',
  'media_attic',
  'media_meta',
  'meta',
  'pages',
  'tmp',
] as const

/** Debian's DokuWiki, unmodified, which whoever reaches it may edit and upload to. */
export async function startDokuWiki(): Promise<DokuWiki> {
  let home = ''
  const server = await startPhp(
    'dokuwiki',
    (dir) => {
      home = dir
      for (const folder of FOLDERS) mkdirSync(join(dir, 'data', folder), { recursive: true })
      return { DOKUWIKI_CONF: `${dir}/` }
    },
    {
      root: '/usr/share/dokuwiki',
      ini: ['memory_limit=512M', 'post_max_size=512M', 'upload_max_filesize=512M'],
    },
  )
  const settings = {
    title: 'Wiki of the tests',
    savedir: join(home, 'data'),
    basedir: '/',
    useacl: 0,
    updatecheck: 0,
    license: '',
  }
  const lines = Object.entries(settings).map(
    ([key, value]) => `$conf['${key}'] = ${JSON.stringify(value)};`,
  )
  await writeFile(join(home, 'local.php'), `<?php\n${lines.join('\n')}\n`)
  return { ...server, mediaFile: (name) => join(home, 'data/media', name) }
}
