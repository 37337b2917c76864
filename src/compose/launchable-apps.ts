import type { Settings } from '../config/settings.ts'
import type { LaunchableApp } from '../portal/launcher.ts'

/** The apps that can be listed: those that are not hidden and have a host of one name. */
export function launchableApps(
  settings: Pick<Settings, 'portal' | 'apps'>,
): readonly LaunchableApp[] {
  const { protocol, port } = new URL(settings.portal.url)
  return settings.apps.flatMap((app): readonly LaunchableApp[] => {
    const host = app.hosts.find((name) => !name.startsWith('*.'))
    if (host === undefined || app.hidden === true) return []
    const authority = `${host.includes(':') ? `[${host}]` : host}${port === '' ? '' : `:${port}`}`
    return [
      {
        name: app.brand?.name ?? app.name,
        icon: app.icon ?? firstLetter(app.name),
        description: app.description ?? {},
        host,
        url: `${protocol}//${authority}/`,
      },
    ]
  })
}

function firstLetter(name: string): string {
  const [first] = new Intl.Segmenter().segment(name)
  return (first?.segment ?? '').toUpperCase()
}
