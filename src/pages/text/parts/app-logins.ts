/** Names and passwords at apps that have a login of their own. */
export const appLoginsFr = {
  title: 'Identifiants pour vos applications',
  lead: 'Ces applications demandent leur propre nom et leur propre mot de passe. Ceux que vous enregistrez ici leur sont envoyés à votre place.',
  none: 'Aucune application.',
  count: (kept: number, all: number) =>
    `${kept} sur ${all} application${all < 2 ? '' : 's'} avec des identifiants.`,
  manage: 'Gérer les identifiants',
  back: 'Retour au compte',
  set: 'Les identifiants ont été enregistrés.',
  removed: 'Les identifiants ont été supprimés.',
  facts: {
    user: 'Connecté en tant que',
    updatedAt: 'Enregistrés le',
    nobody: 'Aucun identifiant',
    closed: 'N’est plus accessible',
  },
  add: 'Enregistrer des identifiants',
  change: 'Modifier',
  remove: 'Supprimer',
  ask: {
    title: (app: string) => `Supprimer vos identifiants pour ${app}\u202f?`,
    lead: 'L’application ne saura plus qui vous êtes, dès la prochaine requête. Elle garde votre compte chez elle.',
    submit: 'Supprimer les identifiants',
  },
  form: {
    title: (app: string) => `Vos identifiants pour ${app}`,
    lead: 'Ceux que l’application connaît, et non ceux de ce compte. Le mot de passe est gardé chiffré et n’est plus jamais affiché.',
    user: 'Nom dans l’application',
    password: 'Mot de passe dans l’application',
    submit: 'Enregistrer',
  },
  problem: {
    user: (most: number) =>
      `Saisissez le nom dans l’application, sans deux-points, de ${most}\u00a0caractères au plus`,
    password: (most: number) =>
      `Saisissez le mot de passe dans l’application, de ${most}\u00a0caractères au plus`,
  },
}

export const appLoginsEn: typeof appLoginsFr = {
  title: 'Logins for your apps',
  lead: 'These apps ask for a name and a password of their own. What you save here is sent to them in your place.',
  none: 'No apps.',
  count: (kept: number, all: number) =>
    `${kept} of ${all} app${all === 1 ? '' : 's'} with a login.`,
  manage: 'Manage logins',
  back: 'Back to my account',
  set: 'The login was saved.',
  removed: 'The login was removed.',
  facts: {
    user: 'Signed in as',
    updatedAt: 'Saved on',
    nobody: 'No login',
    closed: 'No longer open to you',
  },
  add: 'Save a login',
  change: 'Change',
  remove: 'Remove',
  ask: {
    title: (app: string) => `Remove your login for ${app}?`,
    lead: 'From the next request on, the app does not know who you are. It keeps your account there.',
    submit: 'Remove the login',
  },
  form: {
    title: (app: string) => `Your login for ${app}`,
    lead: 'The one the app knows, not the one of this account. The password is kept encrypted and never shown again.',
    user: 'Name at the app',
    password: 'Password at the app',
    submit: 'Save',
  },
  problem: {
    user: (most: number) =>
      `Enter the name at the app, without a colon, at most ${most} characters`,
    password: (most: number) => `Enter the password at the app, at most ${most} characters`,
  },
}
