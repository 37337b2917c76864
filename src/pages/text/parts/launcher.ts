/** The page of the apps somebody may use, in French. */
export const launcherFr = {
  title: 'Mes applications',
  none: 'Aucune application n’est ouverte à votre compte pour le moment.',
}

/** The same in English. */
export const launcherEn = {
  title: 'My apps',
  none: 'No apps are available to your account at the moment.',
} satisfies typeof launcherFr
