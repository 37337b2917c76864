import { type Fragment, html } from '../html.ts'
import { layout } from '../layout.ts'
import { localLink } from '../link.ts'
import { PATHS } from '../paths.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

/** Where somebody proves something of their own, and comes back. Absolute paths. */
export type TokenProofView = {
  readonly passwordPath: string
  /** Absent: the account has no second step. */
  readonly secondPath?: string
}

/** What stands in the form's place for who came by a one-time link alone. */
export function tokenProofPage(context: PageContext, view: TokenProofView): string {
  const text = catalogue(context.language)
  const { title, lead } = text.tokens.proof
  return layout(
    context,
    { title },
    html`<h1>${title}</h1>
<p class="lead">${lead}</p>
${proofLinks(context, view)}<p class="aside"><a href="${PATHS.tokens}">${text.cancel}</a></p>`,
  )
}

/** @param options.anotherTab a page that keeps what was typed stays open */
export function proofLinks(
  context: PageContext,
  { passwordPath, secondPath }: TokenProofView,
  options: { readonly anotherTab?: boolean } = {},
): Fragment {
  const { proof } = catalogue(context.language).tokens
  const target = options.anotherTab === true && html` target="_blank" rel="noopener"`
  const link = (path: string, words: string) =>
    html`<p><a class="button quiet" href="${localLink(path) ?? ''}"${target}>${words}</a></p>
`
  return html`${link(passwordPath, proof.password)}${
    secondPath !== undefined && link(secondPath, proof.second)
  }`
}
