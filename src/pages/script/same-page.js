/**
 * Links within the page (the skip link, those of the error summary) move the focus and leave the
 * address as it is. Its fragment is the one of the app's page, which browsers carry through every
 * form to the end of a sign-in; one of ours in its place would be carried there instead, and would
 * keep the summary of the next page from taking the focus.
 */
for (const link of document.querySelectorAll('a')) {
  if (link.getAttribute('href')?.startsWith('#') !== true) continue
  const to = document.getElementById(link.hash.slice(1))
  if (to === null) continue
  link.addEventListener('click', (event) => {
    event.preventDefault()
    to.focus()
  })
}
