/** The page of the apps somebody may use, in French. */
export const launcherFr = {
  title: 'Mes applications',
  none: 'Aucune application n’est ouverte à votre compte pour le moment.',
}

/** The same in English. */
export const launcherEn = {
  title: 'My apps',
  none: 'No app is open to your account for the moment.',
} satisfies typeof launcherFr
