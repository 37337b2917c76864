import type { Account } from '../../accounts/account.ts'
import { setCookie } from '../../http/cookies.ts'
import { DAY } from '../../lib/duration.ts'
import { changeLanguage } from '../../login/account-changes.ts'
import { PATHS } from '../../pages/paths.ts'
import { ownSession } from '../own-session.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { loginContext, redirect } from '../signing-in.ts'

/** Which language pages and mail are in. */
export function languageRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'POST',
      path: PATHS.language,
      handle: async (visit, form) => {
        const own = await ownSession(deps, visit, PATHS.account)
        if (own.kind === 'elsewhere') return own.answer
        const language = form.value('language')
        if (!isLanguage(language)) return redirect(PATHS.account)
        const { account, session } = own
        const by = { account, session, context: loginContext(deps, visit) }
        await changeLanguage(deps, by, language)
        // For the pages before the next sign-in; empty: this browser's own is asked again.
        const kept = setCookie(
          'language',
          language,
          visit.site.binding,
          language === '' ? 0 : 365 * DAY,
        )
        return redirect(`${PATHS.account}?notice=language_saved`, [kept])
      },
    },
  ]
}

function isLanguage(text: string): text is Account['language'] {
  return text === 'fr' || text === 'en' || text === ''
}
