import type { Settings } from '../config/settings.ts'
import { AppError } from '../lib/app-error.ts'
import { visible } from './visible.ts'

/** What is said of an app that the configuration does not have. */
export function noApp({ apps }: Pick<Settings, 'apps'>, name: string): AppError {
  const names = apps.map((app) => app.name).join(', ')
  return new AppError('failed', `There is no app ${visible(name)}. There are: ${names}`)
}
