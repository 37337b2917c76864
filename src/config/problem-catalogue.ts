/**
 * Everything that can be wrong with a configuration, in both languages. `{name}` is filled in.
 * `fix` says what to do where the message alone does not. Codes are never reused.
 *
 * 10xx the file and its shape · 11xx references · 12xx single values · 13xx values that do not
 * go together · 14xx warnings · 15xx signing in and pages, all of it
 *
 * The manual lists them: after a change, run `node scripts/problem-pages.ts`.
 */
export const PROBLEMS = {
  file_unreadable: {
    code: 'SP-1000',
    en: 'the file cannot be read ({reason})',
    fr: 'le fichier ne peut pas être lu ({reason})',
    fix: {
      en: 'check the path and the permissions of the account that runs sallyport',
      fr: 'vérifiez le chemin et les droits du compte qui lance sallyport',
    },
  },
  syntax: {
    code: 'SP-1001',
    en: 'not valid YAML: {reason}',
    fr: 'YAML invalide\u00a0: {reason}',
  },
  duplicate_key: {
    code: 'SP-1002',
    en: 'the key "{key}" is already set on line {line}',
    fr: 'la clé «\u00a0{key}\u00a0» figure déjà ligne {line}',
    fix: { en: 'keep one of the two', fr: 'gardez l’une des deux' },
  },
  unsupported_yaml: {
    code: 'SP-1003',
    en: '{what} cannot be used here',
    fr: '{what}\u00a0: non accepté ici',
    fix: {
      en: 'write plain YAML 1.2: one document, values written out',
      fr: 'écrivez du YAML 1.2 simple\u00a0: un seul document, des valeurs en toutes lettres',
    },
  },
  unknown_key: {
    code: 'SP-1004',
    en: 'unknown key "{key}"',
    fr: 'clé inconnue «\u00a0{key}\u00a0»',
    fix: { en: 'known here: {known}', fr: 'connues ici\u00a0: {known}' },
  },
  misplaced_key: {
    code: 'SP-1004',
    en: 'the key "{key}" does not belong here',
    fr: 'la clé «\u00a0{key}\u00a0» n’a pas sa place ici',
    fix: { en: 'it goes under {place}', fr: 'elle se place sous {place}' },
  },
  missing_key: {
    code: 'SP-1005',
    en: 'the key "{key}" is missing',
    fr: 'la clé «\u00a0{key}\u00a0» manque',
    fix: { en: 'add it, e.g. {example}', fr: 'ajoutez-la, par ex. {example}' },
  },
  no_value: {
    code: 'SP-1006',
    en: 'no value',
    fr: 'valeur absente',
    fix: {
      en: 'give the key a value, or remove it to get the default',
      fr: 'donnez une valeur à la clé, ou retirez-la pour obtenir le réglage par défaut',
    },
  },
  too_big: {
    code: 'SP-1007',
    en: 'the file is too big: {limit} at most',
    fr: 'le fichier est trop gros\u00a0: {limit} au plus',
  },
  bad_alias: {
    code: 'SP-1008',
    en: 'the alias "*{name}" refers to nothing that stands before it',
    fr: 'l’alias «\u00a0*{name}\u00a0» ne renvoie à rien qui le précède',
    fix: { en: 'define "&{name}" above it', fr: 'définissez «\u00a0&{name}\u00a0» plus haut' },
  },
  empty_file: {
    code: 'SP-1009',
    en: 'the file is empty',
    fr: 'le fichier est vide',
    fix: {
      en: 'start from config.example.yaml',
      fr: 'partez de config.example.yaml',
    },
  },
  no_apps: {
    code: 'SP-1009',
    en: 'there is nothing to protect',
    fr: 'il n’y a rien à protéger',
    fix: { en: 'add an app, e.g. {example}', fr: 'ajoutez une application, par ex. {example}' },
  },
  wrong_type: {
    code: 'SP-1010',
    en: '{expected} expected, {got} found',
    fr: '{expected}, {got}',
  },
  unknown_value: {
    code: 'SP-1011',
    en: '"{value}" is not one of the possible values',
    fr: '«\u00a0{value}\u00a0» ne fait pas partie des valeurs possibles',
    fix: { en: 'possible: {options}', fr: 'possibles\u00a0: {options}' },
  },
  out_of_range: {
    code: 'SP-1012',
    en: '{value} is out of range',
    fr: '{value} est hors limites',
    fix: { en: 'from {min} to {max}', fr: 'de {min} à {max}' },
  },
  empty_list: {
    code: 'SP-1013',
    en: 'the list is empty',
    fr: 'la liste est vide',
    fix: {
      en: 'an empty list restricts nothing: name at least one, or remove the key',
      fr: 'une liste vide ne restreint rien\u00a0: mettez au moins un élément, ou retirez la clé',
    },
  },
  blank: {
    code: 'SP-1014',
    en: 'the text is blank',
    fr: 'le texte est vide',
    fix: {
      en: 'write something, or remove the key',
      fr: 'écrivez quelque chose, ou retirez la clé',
    },
  },
  repeated: {
    code: 'SP-1015',
    en: '"{value}" is already in this list',
    fr: '«\u00a0{value}\u00a0» figure déjà dans cette liste',
    fix: { en: 'remove it here', fr: 'retirez-le ici' },
  },
  unknown_version: {
    code: 'SP-1016',
    en: 'version {value} of the file format is not known',
    fr: 'la version {value} du format n’est pas connue',
    fix: { en: 'write version: 1', fr: 'écrivez version: 1' },
  },
  control_characters: {
    code: 'SP-1017',
    en: 'the text holds a line break or another invisible character',
    fr: 'le texte contient un saut de ligne ou un autre caractère invisible',
    fix: { en: 'write it on one line', fr: 'écrivez-le sur une seule ligne' },
  },
  too_long: {
    code: 'SP-1018',
    en: 'too long: {max} characters at most',
    fr: 'trop long\u00a0: {max} caractères au plus',
  },
  too_many: {
    code: 'SP-1019',
    en: 'too many: {max} at most',
    fr: 'trop d’éléments\u00a0: {max} au plus',
  },

  reference_syntax: {
    code: 'SP-1101',
    en: '"{reference}" is not a reference',
    fr: '«\u00a0{reference}\u00a0» n’est pas une référence',
    fix: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text explains this very syntax
      en: 'write ${NAME}, ${NAME:-default}, ${NAME:?message} or ${file:/path}; a dollar sign before a brace is $$',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text explains this very syntax
      fr: 'écrivez ${NOM}, ${NOM:-défaut}, ${NOM:?message} ou ${file:/chemin}\u202f; un dollar devant une accolade s’écrit $$',
    },
  },
  variable_unset: {
    code: 'SP-1102',
    en: 'the environment variable {name} is not set',
    fr: 'la variable d’environnement {name} n’est pas définie',
    fix: {
      en: 'set it, or give a default: {example}',
      fr: 'définissez-la, ou donnez une valeur par défaut\u00a0: {example}',
    },
  },
  variable_required: {
    code: 'SP-1103',
    en: 'the environment variable {name} is required: {message}',
    fr: 'la variable d’environnement {name} est obligatoire\u00a0: {message}',
  },
  secret_file_unreadable: {
    code: 'SP-1104',
    en: 'the file {file} cannot be read ({reason})',
    fr: 'le fichier {file} ne peut pas être lu ({reason})',
    fix: {
      en: 'paths are relative to this configuration file; check the permissions too',
      fr: 'les chemins partent de ce fichier de configuration\u202f; vérifiez aussi les droits',
    },
  },
  secret_file_unfit: {
    code: 'SP-1105',
    en: 'the file {file} is empty, larger than {limit} or not text in UTF-8',
    fr: 'le fichier {file} est vide, dépasse {limit} ou n’est pas du texte en UTF-8',
  },

  bad_duration: {
    code: 'SP-1201',
    en: '"{value}" is not a duration',
    fr: '«\u00a0{value}\u00a0» n’est pas une durée',
    fix: {
      en: 'a whole number and s, m, h or d: 90s, 30m, 12h, 30d',
      fr: 'un nombre entier suivi de s, m, h ou d\u00a0: 90s, 30m, 12h, 30d',
    },
  },
  bad_rate: {
    code: 'SP-1202',
    en: '"{value}" is not a rate',
    fr: '«\u00a0{value}\u00a0» n’est pas un débit',
    fix: {
      en: 'a number, a slash and a duration: 5/1m is five a minute',
      fr: 'un nombre, une barre et une durée\u00a0: 5/1m, c’est cinq par minute',
    },
  },
  bad_listen: {
    code: 'SP-1203',
    en: '"{value}" is not an address to listen on',
    fr: '«\u00a0{value}\u00a0» n’est pas une adresse d’écoute',
    fix: {
      en: 'write host:port, :port or [::1]:port',
      fr: 'écrivez hôte:port, :port ou [::1]:port',
    },
  },
  bad_listen_socket: {
    code: 'SP-1250',
    en: '"{value}" is not a Unix socket to listen on',
    fr: '«\u00a0{value}\u00a0» n’est pas un socket Unix où écouter',
    fix: {
      en: 'write unix:/run/sallyport/sallyport.sock, at most {max} bytes after unix:, with |0660 behind it to say who may connect',
      fr: 'écrivez unix:/run/sallyport/sallyport.sock, {max} octets au plus après unix:, suivi de |0660 pour dire qui peut se connecter',
    },
  },
  bad_network: {
    code: 'SP-1204',
    en: '"{value}" is not an address or a network',
    fr: '«\u00a0{value}\u00a0» n’est ni une adresse ni un réseau',
    fix: {
      en: 'write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32',
      fr: 'écrivez 192.0.2.7, 192.0.2.0/24 ou 2001:db8::/32',
    },
  },
  host_scheme: {
    code: 'SP-1205',
    en: '"{value}" is a URL, a host name is expected',
    fr: '«\u00a0{value}\u00a0» est une URL, un nom d’hôte est attendu',
  },
  host_port: {
    code: 'SP-1205',
    en: '"{value}" holds a port, a host name is expected',
    fr: '«\u00a0{value}\u00a0» contient un port, un nom d’hôte est attendu',
    fix: {
      en: 'an app is known by its name on every port',
      fr: 'une application est reconnue à son nom, quel que soit le port',
    },
  },
  host_wildcard: {
    code: 'SP-1205',
    en: '"{value}": a star can only stand for the first label',
    fr: '«\u00a0{value}\u00a0»\u00a0: l’étoile ne peut remplacer que le premier élément',
    fix: { en: 'write *.example.com', fr: 'écrivez *.exemple.fr' },
  },
  host_invalid: {
    code: 'SP-1205',
    en: '"{value}" is not a host name',
    fr: '«\u00a0{value}\u00a0» n’est pas un nom d’hôte',
    fix: {
      en: 'write wiki.example.com, *.example.com or an IP address',
      fr: 'écrivez wiki.exemple.fr, *.exemple.fr ou une adresse IP',
    },
  },
  path_start: {
    code: 'SP-1206',
    en: '"{value}" does not start with a slash',
    fr: '«\u00a0{value}\u00a0» ne commence pas par une barre oblique',
  },
  path_encoded: {
    code: 'SP-1206',
    en: '"{value}" holds a percent sign: rules see paths decoded',
    fr: '«\u00a0{value}\u00a0» contient un signe pour cent\u00a0: les règles voient les chemins décodés',
    fix: { en: 'write the character itself', fr: 'écrivez le caractère lui-même' },
  },
  path_query: {
    code: 'SP-1206',
    en: '"{value}" holds a "?" or a "#": rules look at the path alone',
    fr: '«\u00a0{value}\u00a0» contient «\u00a0?\u00a0» ou «\u00a0#\u00a0»\u00a0: les règles ne regardent que le chemin',
    fix: { en: 'stop before it', fr: 'arrêtez-vous avant' },
  },
  path_segment: {
    code: 'SP-1206',
    en: '"{value}" holds {what}: no request ever matches it',
    fr: '«\u00a0{value}\u00a0» contient {what}\u00a0: aucune requête n’y correspond jamais',
    fix: {
      en: 'write the path as an app sees it',
      fr: 'écrivez le chemin tel que l’application le voit',
    },
  },
  path_star: {
    code: 'SP-1206',
    en: '"{value}": "**" must be a whole segment, and not follow another one',
    fr: '«\u00a0{value}\u00a0»\u00a0: «\u00a0**\u00a0» doit former un segment entier, et ne pas en suivre un autre',
    fix: {
      en: '* matches within a segment, /** everything below: /admin/**',
      fr: '* vaut dans un segment, /** pour tout ce qui est dessous\u00a0: /admin/**',
    },
  },
  bad_method: {
    code: 'SP-1207',
    en: '"{value}" is not a request method',
    fr: '«\u00a0{value}\u00a0» n’est pas une méthode de requête',
    fix: {
      en: 'upper case, e.g. GET, POST, DELETE',
      fr: 'en majuscules, par ex. GET, POST, DELETE',
    },
  },
  header_name: {
    code: 'SP-1208',
    en: '"{value}" is not a usable header name',
    fr: '«\u00a0{value}\u00a0» n’est pas un nom d’en-tête utilisable',
    fix: {
      en: 'letters, digits and dashes only: many apps read "_" and "-" as one',
      fr: 'lettres, chiffres et tirets seulement\u00a0: beaucoup d’applications confondent «\u00a0_\u00a0» et «\u00a0-\u00a0»',
    },
  },
  header_reserved: {
    code: 'SP-1209',
    en: 'the header {value} cannot be set here: it carries the connection, the address or a sign-in',
    fr: 'l’en-tête {value} ne peut pas être fixé ici\u00a0: il porte la connexion, l’adresse ou une identification',
    fix: { en: 'choose another name', fr: 'choisissez un autre nom' },
  },
  client_header_name: {
    code: 'SP-1230',
    en: '"{value}" is not a header name that can be let through',
    fr: '«\u00a0{value}\u00a0» n’est pas un nom d’en-tête que l’on puisse laisser passer',
    fix: {
      en: 'letters, digits, "-", "_" and ".", 64 characters at most, e.g. X_Tenant',
      fr: 'lettres, chiffres, «\u00a0-\u00a0», «\u00a0_\u00a0» et «\u00a0.\u00a0», 64 caractères au plus, par ex. X_Tenant',
    },
  },
  client_header_needless: {
    code: 'SP-1231',
    en: 'the header {value} is not held back for its name',
    fr: 'l’en-tête {value} n’est pas retenu à cause de son nom',
    fix: {
      en: 'remove it here: only names with "_" or "." need to be listed',
      fr: 'retirez-le ici\u00a0: seuls les noms avec «\u00a0_\u00a0» ou «\u00a0.\u00a0» doivent figurer',
    },
  },
  client_header_trusted: {
    code: 'SP-1232',
    en: 'the header {value} cannot be let through: an app may take it for {name}, which clients have no say in',
    fr: 'l’en-tête {value} ne peut pas passer\u00a0: une application peut le prendre pour {name}, qui n’est pas du ressort des clients',
    fix: {
      en: 'have the client send it under another name',
      fr: 'faites-le envoyer sous un autre nom par le client',
    },
  },
  header_value: {
    code: 'SP-1210',
    en: 'not usable as a header value (not shown)',
    fr: 'inutilisable comme valeur d’en-tête (non affichée)',
    fix: {
      en: 'printable ASCII on one line, no space at either end, 4096 characters at most',
      fr: 'ASCII imprimable sur une ligne, sans espace aux extrémités, 4096 caractères au plus',
    },
  },
  bad_url: {
    code: 'SP-1211',
    en: '"{value}" is not an http or https address',
    fr: '«\u00a0{value}\u00a0» n’est pas une adresse http ou https',
    fix: {
      en: 'write scheme, host and port: https://auth.example.com or http://127.0.0.1:3000',
      fr: 'écrivez le schéma, l’hôte et le port\u00a0: https://auth.exemple.fr ou http://127.0.0.1:3000',
    },
  },
  url_not_origin: {
    code: 'SP-1211',
    en: '"{value}" has a path, a query or a user name; only scheme, host and port are wanted',
    fr: '«\u00a0{value}\u00a0» a un chemin, une requête ou un nom d’utilisateur\u202f; seuls le schéma, l’hôte et le port sont attendus',
  },
  bad_store: {
    code: 'SP-1213',
    en: 'not a store that is known (not shown: it may hold a password)',
    fr: 'stockage inconnu (non affiché\u00a0: il peut contenir un mot de passe)',
    fix: {
      en: 'write sqlite:/var/lib/sallyport/sallyport.db',
      fr: 'écrivez sqlite:/var/lib/sallyport/sallyport.db',
    },
  },
  bad_master_key: {
    code: 'SP-1214',
    en: 'not a key of 32 bytes (not shown)',
    fr: 'ce n’est pas une clé de 32 octets (non affichée)',
    fix: {
      en: 'make one with: openssl rand -hex 32',
      fr: 'créez-en une avec\u00a0: openssl rand -hex 32',
    },
  },
  weak_master_key: {
    code: 'SP-1214',
    en: 'this key is not random (not shown)',
    fr: 'cette clé n’est pas aléatoire (non affichée)',
    fix: {
      en: 'make one with: openssl rand -hex 32',
      fr: 'créez-en une avec\u00a0: openssl rand -hex 32',
    },
  },
  bad_help: {
    code: 'SP-1215',
    en: '"{value}" is not a mailto: or https: link',
    fr: '«\u00a0{value}\u00a0» n’est pas un lien mailto: ou https:',
    fix: {
      en: 'write mailto:help@example.com or https://help.example.com',
      fr: 'écrivez mailto:aide@exemple.fr ou https://aide.exemple.fr',
    },
  },
  bad_csp: {
    code: 'SP-1217',
    en: 'not usable as a Content-Security-Policy',
    fr: 'inutilisable comme Content-Security-Policy',
    fix: {
      en: "directives in ASCII, parted by semicolons: default-src 'self'; img-src *",
      fr: "des directives en ASCII, séparées par des points-virgules\u00a0: default-src 'self'; img-src *",
    },
  },
  bad_socket: {
    code: 'SP-1221',
    en: '"{value}" is not the path of a Unix socket',
    fr: '«\u00a0{value}\u00a0» n’est pas le chemin d’un socket Unix',
    fix: {
      en: 'write unix:/run/app.sock, at most {max} bytes after unix:',
      fr: 'écrivez unix:/run/app.sock, {max} octets au plus après unix:',
    },
  },
  bad_target: {
    code: 'SP-1222',
    en: '"{value}" cannot be asked for: it holds a space, a "#" or a character outside ASCII',
    fr: '«\u00a0{value}\u00a0» ne peut pas être demandé\u00a0: il contient une espace, un «\u00a0#\u00a0» ou un caractère hors ASCII',
    fix: { en: 'write it percent-encoded', fr: 'écrivez-le encodé avec des %' },
  },
  no_certificate: {
    code: 'SP-1223',
    en: 'the file holds no certificate that can be read',
    fr: 'le fichier ne contient aucun certificat lisible',
    fix: {
      en: 'PEM is wanted: -----BEGIN CERTIFICATE-----',
      fr: 'le format PEM est attendu\u00a0: -----BEGIN CERTIFICATE-----',
    },
  },
  no_private_key: {
    code: 'SP-1224',
    en: 'the file holds no private key that can be read without a passphrase',
    fr: 'le fichier ne contient aucune clé privée lisible sans phrase de passe',
    fix: {
      en: 'PEM is wanted: -----BEGIN PRIVATE KEY-----',
      fr: 'le format PEM est attendu\u00a0: -----BEGIN PRIVATE KEY-----',
    },
  },
  pem_inline: {
    code: 'SP-1225',
    en: 'the content of a file stands here, its path is expected (not shown)',
    fr: 'le contenu d’un fichier figure ici, son chemin est attendu (non affiché)',
    fix: {
      en: 'put it into a file of its own and write the path',
      fr: 'placez-le dans un fichier à lui et écrivez le chemin',
    },
  },
  bad_size: {
    code: 'SP-1241',
    en: '"{value}" is not a size',
    fr: '«\u00a0{value}\u00a0» n’est pas une taille',
    fix: {
      en: 'a whole number and B, KiB or MiB: 512KiB, 1MiB',
      fr: 'un nombre entier suivi de B, KiB ou MiB\u00a0: 512KiB, 1MiB',
    },
  },
  cors_origin: {
    code: 'SP-1242',
    en: '"{value}" does not name one origin',
    fr: '«\u00a0{value}\u00a0» ne désigne pas une seule origine',
    fix: {
      en: 'write out each origin: https://front.example.com; "null" stands for pages nobody can tell apart',
      fr: 'écrivez chaque origine en entier\u00a0: https://front.exemple.fr\u202f; «\u00a0null\u00a0» désigne des pages que rien ne distingue',
    },
  },
  webhook_path: {
    code: 'SP-1243',
    en: '"{value}" cannot be the path of a webhook',
    fr: '«\u00a0{value}\u00a0» ne peut pas être le chemin d’un webhook',
    fix: {
      en: 'one exact path of letters, digits and - . _ ~, without a last slash: /hooks/github',
      fr: 'un chemin exact fait de lettres, de chiffres et de - . _ ~, sans barre finale\u00a0: /hooks/github',
    },
  },
  webhook_signed: {
    code: 'SP-1244',
    en: '"{value}" does not say what is signed',
    fr: '«\u00a0{value}\u00a0» ne dit pas ce qui est signé',
    fix: {
      en: 'write body, or a text in which body, timestamp and id stand in braces, each at most once',
      fr: 'écrivez body, ou un texte où body, timestamp et id figurent entre accolades, chacun une fois au plus',
    },
  },
  webhook_secret: {
    code: 'SP-1245',
    en: 'the secret is shorter than 16 characters (not shown)',
    fr: 'le secret fait moins de 16 caractères (non affiché)',
    fix: {
      en: 'make one with: openssl rand -hex 32',
      fr: 'créez-en un avec\u00a0: openssl rand -hex 32',
    },
  },

  host_taken: {
    code: 'SP-1301',
    en: 'the host {host} already belongs to the app "{app}"',
    fr: 'l’hôte {host} appartient déjà à l’application «\u00a0{app}\u00a0»',
    fix: {
      en: 'one app per host: put the rules together, or choose another host',
      fr: 'une application par hôte\u00a0: réunissez les règles, ou choisissez un autre hôte',
    },
  },
  app_name_taken: {
    code: 'SP-1302',
    en: 'another app is called "{value}" already',
    fr: 'une autre application s’appelle déjà «\u00a0{value}\u00a0»',
    fix: {
      en: 'logs tell apps apart by name',
      fr: 'les journaux distinguent les applications par leur nom',
    },
  },
  insecure_portal: {
    code: 'SP-1303',
    en: 'plain http would send passwords over the network in clear',
    fr: 'en http, les mots de passe circuleraient en clair sur le réseau',
    fix: {
      en: 'write https:// (the proxy in front does the TLS), or insecure_http: true on a network you trust',
      fr: 'écrivez https:// (le proxy placé devant fait le TLS), ou insecure_http: true sur un réseau de confiance',
    },
  },
  cookie_domain_public: {
    code: 'SP-1304',
    en: 'browsers refuse cookies for {domain}: anybody can register a name under it',
    fr: 'les navigateurs refusent les cookies pour {domain}\u00a0: chacun peut y enregistrer un nom',
    fix: {
      en: 'write your own domain, e.g. {example}',
      fr: 'écrivez votre propre domaine, par ex. {example}',
    },
  },
  cookie_domain_label: {
    code: 'SP-1305',
    en: 'browsers refuse cookies for {domain}: it is a single label or an IP address',
    fr: 'les navigateurs refusent les cookies pour {domain}\u00a0: c’est un nom sans point ou une adresse IP',
    fix: {
      en: 'remove the key when everything is on one host; otherwise give the hosts a common domain, e.g. example.test',
      fr: 'retirez la clé si tout est sur un seul hôte\u202f; sinon donnez aux hôtes un domaine commun, par ex. exemple.test',
    },
  },
  cookie_domain_portal: {
    code: 'SP-1306',
    en: '{domain} does not cover the portal, {host}',
    fr: '{domain} ne couvre pas le portail, {host}',
    fix: {
      en: 'write a domain that {host} ends with',
      fr: 'écrivez un domaine par lequel {host} se termine',
    },
  },
  cookie_domain_app: {
    code: 'SP-1307',
    en: 'the cookie of {domain} does not reach {host}: sign-in would never end',
    fr: 'le cookie de {domain} n’atteint pas {host}\u00a0: la connexion n’aboutirait jamais',
    fix: {
      en: 'give the app a host under {domain}, or change portal.cookie_domain',
      fr: 'donnez à l’application un hôte sous {domain}, ou changez portal.cookie_domain',
    },
  },
  cookie_domain_none: {
    code: 'SP-1308',
    en: 'no cookie can serve both the portal, {portal}, and {host}',
    fr: 'aucun cookie ne peut servir à la fois le portail, {portal}, et {host}',
    fix: {
      en: 'put both under one domain of yours, e.g. auth.example.com and wiki.example.com, or the app on the host {portal}',
      fr: 'placez les deux sous un même domaine à vous, par ex. auth.exemple.fr et wiki.exemple.fr, ou l’application sur l’hôte {portal}',
    },
  },
  forward_auth_untrusted: {
    code: 'SP-1309',
    en: 'an app without upstream is asked about by a proxy, but no proxy is trusted',
    fr: 'une application sans upstream est interrogée par un proxy, mais aucun proxy n’est de confiance',
    fix: {
      en: 'name the proxy, e.g. trusted_proxies: [127.0.0.1/32], or give the app an upstream',
      fr: 'indiquez le proxy, par ex. trusted_proxies: [127.0.0.1/32], ou donnez un upstream à l’application',
    },
  },
  trusted_everyone: {
    code: 'SP-1310',
    en: '{value} trusts every address on the Internet to say who the client is',
    fr: '{value} laisse toute adresse d’Internet dire qui est le client',
    fix: {
      en: 'write the address of the proxy alone',
      fr: 'écrivez la seule adresse du proxy',
    },
  },
  header_repeated: {
    code: 'SP-1311',
    en: 'the header {value} is set twice for this app',
    fr: 'l’en-tête {value} est fixé deux fois pour cette application',
    fix: { en: 'give each value its own header', fr: 'donnez à chaque valeur son en-tête' },
  },
  duplicate_rule: {
    code: 'SP-1312',
    en: 'rule {number} looks at exactly the same requests, so this one never decides',
    fr: 'la règle {number} vise exactement les mêmes requêtes\u00a0: celle-ci ne décide jamais',
    fix: {
      en: 'the first rule that matches decides alone, for everybody: name all users and groups in one rule',
      fr: 'la première règle qui correspond décide seule, pour tous\u00a0: nommez utilisateurs et groupes dans une même règle',
    },
  },
  rule_host_foreign: {
    code: 'SP-1313',
    en: '{value} is not a host of this app',
    fr: '{value} n’est pas un hôte de cette application',
    fix: { en: 'hosts of the app: {hosts}', fr: 'hôtes de l’application\u00a0: {hosts}' },
  },
  public_for_some: {
    code: 'SP-1314',
    en: 'a public rule asks nobody who they are, so {key} restricts nothing',
    fr: 'une règle publique ne demande à personne qui il est\u00a0: {key} ne restreint rien',
    fix: {
      en: 'write policy: one_factor or two_factor, or remove {key}',
      fr: 'écrivez policy: one_factor ou two_factor, ou retirez {key}',
    },
  },
  upstream_is_self: {
    code: 'SP-1315',
    en: 'the upstream is the address sallyport itself listens on',
    fr: 'l’upstream est l’adresse sur laquelle sallyport écoute lui-même',
    fix: {
      en: 'write the address of the app, or change listen.http',
      fr: 'écrivez l’adresse de l’application, ou changez listen.http',
    },
  },
  upstream_tls_unused: {
    code: 'SP-1321',
    en: 'none of the upstreams is https: tls would protect nothing',
    fr: 'aucun des upstreams n’est en https\u00a0: tls ne protégerait rien',
    fix: {
      en: 'write https:// in urls, or remove tls',
      fr: 'écrivez https:// dans urls, ou retirez tls',
    },
  },
  upstream_tls_half: {
    code: 'SP-1322',
    en: '{has} without {lacks}: each is of use only with the other',
    fr: '{has} sans {lacks}\u00a0: l’un ne sert qu’avec l’autre',
    fix: { en: 'add {lacks}, or remove {has}', fr: 'ajoutez {lacks}, ou retirez {has}' },
  },
  key_of_another: {
    code: 'SP-1323',
    en: 'the key does not belong to the certificate',
    fr: 'la clé ne correspond pas au certificat',
    fix: {
      en: 'the certificate of the key must come first in its file',
      fr: 'le certificat de la clé doit venir en premier dans son fichier',
    },
  },
  cors_credentials: {
    code: 'SP-1341',
    en: 'credentials for every origin would let any site read what people see here',
    fr: 'des identifiants pour toute origine laisseraient n’importe quel site lire ce que voient les gens ici',
    fix: {
      en: 'write out the origins, or leave credentials out',
      fr: 'écrivez les origines, ou retirez credentials',
    },
  },
  cors_star_alone: {
    code: 'SP-1342',
    en: 'with "*", every origin is allowed: the others in the list mean nothing',
    fr: 'avec «\u00a0*\u00a0», toute origine est permise\u00a0: les autres de la liste ne veulent rien dire',
    fix: { en: 'keep one or the other', fr: 'gardez l’un ou les autres' },
  },
  webhook_preset_key: {
    code: 'SP-1343',
    en: 'the preset {value} already says what {key} is',
    fr: 'le préréglage {value} fixe déjà {key}',
    fix: {
      en: 'remove the key, or write preset: generic',
      fr: 'retirez la clé, ou écrivez preset: generic',
    },
  },
  webhook_needs: {
    code: 'SP-1344',
    en: '{value} needs the key {key}',
    fr: '{value} demande la clé {key}',
    fix: {
      en: 'name the header in which the sender puts it',
      fr: 'nommez l’en-tête où l’expéditeur le place',
    },
  },
  webhook_unsigned_time: {
    code: 'SP-1345',
    en: 'a time that is not signed proves nothing: anybody can change it',
    fr: 'une heure qui n’est pas signée ne prouve rien\u00a0: chacun peut la changer',
    fix: {
      en: 'put timestamp into signed as the sender does, or remove the key',
      fr: 'placez timestamp dans signed comme le fait l’expéditeur, ou retirez la clé',
    },
  },
  webhook_no_upstream: {
    code: 'SP-1346',
    en: 'a proxy that asks about requests does not show their bodies, so no signature can be checked',
    fr: 'un proxy qui interroge Sallyport ne montre pas le corps des requêtes\u00a0: aucune signature ne peut être vérifiée',
    fix: {
      en: 'give the app an upstream, so that Sallyport forwards to it',
      fr: 'donnez un upstream à l’application, pour que Sallyport lui transmette les requêtes',
    },
  },
  class_name: {
    code: 'SP-1240',
    en: '"{value}" cannot be the name of a rate class',
    fr: '«\u00a0{value}\u00a0» ne peut pas être le nom d’une classe de débit',
    fix: {
      en: 'a lower-case letter, then letters, digits or _; 32 characters at most',
      fr: 'une minuscule, puis des lettres, des chiffres ou _\u202f; 32 caractères au plus',
    },
  },
  class_taken: {
    code: 'SP-1240',
    en: '"{value}" is the name of a built-in class',
    fr: '«\u00a0{value}\u00a0» est le nom d’une classe intégrée',
    fix: {
      en: 'choose another name, or set the rate of the built-in one under limits',
      fr: 'choisissez un autre nom, ou réglez le débit de la classe intégrée sous limits',
    },
  },
  unknown_limit: {
    code: 'SP-1340',
    en: 'there is no rate class "{value}"',
    fr: 'il n’y a pas de classe de débit «\u00a0{value}\u00a0»',
    fix: {
      en: 'there are: {options}; define others under limits.classes',
      fr: 'il y a\u00a0: {options}\u202f; définissez-en d’autres sous limits.classes',
    },
  },
  limit_unused: {
    code: 'SP-1347',
    en: 'a deny rule that names people hands everybody else on, so no request pays from its class',
    fr: 'une règle deny qui nomme des personnes laisse passer les autres à la suite\u00a0: aucune requête ne relève de sa classe',
    fix: {
      en: 'put limit on the rules that follow',
      fr: 'mettez limit sur les règles qui suivent',
    },
  },

  proxy_protocol_nobody: {
    code: 'SP-1350',
    en: 'nobody is trusted to send a PROXY header, so nobody could connect',
    fr: 'personne n’est habilité à envoyer un en-tête PROXY\u00a0: personne ne pourrait se connecter',
    fix: {
      en: 'name the proxy under trusted_proxies',
      fr: 'indiquez le proxy dans trusted_proxies',
    },
  },
  https_without_tls: {
    code: 'SP-1351',
    en: 'https takes a certificate, and there is no tls',
    fr: 'https exige un certificat, et tls manque',
    fix: {
      en: 'add tls: {certificates: {certificate: FILE, key: FILE}}',
      fr: 'ajoutez tls: {certificates: {certificate: FICHIER, key: FICHIER}}',
    },
  },
  https_portal_http: {
    code: 'SP-1352',
    en: 'with listen.https, people sign in over https',
    fr: 'avec listen.https, on se connecte en https',
    fix: {
      en: 'write https:// here, with the port people use',
      fr: 'écrivez https:// ici, avec le port qu’utilisent les gens',
    },
  },
  listen_twice: {
    code: 'SP-1353',
    en: 'listen.http is this address already',
    fr: 'listen.http occupe déjà cette adresse',
    fix: {
      en: 'choose another port for one of them',
      fr: 'choisissez un autre port pour l’un des deux',
    },
  },

  password_length: {
    code: 'SP-1510',
    en: '{value} is less than the preset {preset} asks for ({least})',
    fr: '{value}\u00a0: moins que ce que demande le préréglage {preset} ({least})',
    fix: {
      en: 'raise it, remove it, or choose another preset',
      fr: 'augmentez cette valeur, retirez-la, ou choisissez un autre préréglage',
    },
  },
  leak_url: {
    code: 'SP-1511',
    en: '"{value}" is no address that five digits can be added to',
    fr: '«\u00a0{value}\u00a0» n’est pas une adresse à laquelle ajouter cinq chiffres',
    fix: {
      en: 'write an https:// URL that ends in a slash, without a query; http:// is for this machine only',
      fr: 'écrivez une URL https:// qui finit par une barre oblique, sans requête\u202f; http:// ne vaut que pour cette machine',
    },
  },
  leak_sources: {
    code: 'SP-1512',
    en: 'leaked passwords are looked up in one place: api or file',
    fr: 'les mots de passe divulgués se cherchent en un seul endroit\u00a0: api ou file',
    fix: { en: 'keep one of the two', fr: 'gardez l’un des deux' },
  },
  leak_file: {
    code: 'SP-1513',
    en: '{file} does not start like a list of leaked passwords',
    fr: '{file} ne commence pas comme une liste de mots de passe divulgués',
    fix: {
      en: 'it takes lines HASH:COUNT, SHA-1 in capitals, in the order of the hashes',
      fr: 'il faut des lignes EMPREINTE:NOMBRE, SHA-1 en capitales, dans l’ordre des empreintes',
    },
  },
  leak_file_unreadable: {
    code: 'SP-1514',
    en: 'the file {file} cannot be read ({reason})',
    fr: 'le fichier {file} ne peut pas être lu ({reason})',
    fix: {
      en: 'check the path and the permissions of the account that runs sallyport',
      fr: 'vérifiez le chemin et les droits du compte qui lance sallyport',
    },
  },

  sms_needs: {
    code: 'SP-1530',
    en: 'a provider "{value}" needs {key}',
    fr: 'un fournisseur «\u00a0{value}\u00a0» a besoin de {key}',
  },
  sms_foreign_key: {
    code: 'SP-1531',
    en: '{key} does not go with {value}',
    fr: '{key} ne va pas avec {value}',
    fix: { en: 'remove the key', fr: 'retirez la clé' },
  },
  sms_identifier: {
    code: 'SP-1532',
    en: 'this is nothing a provider gives out: letters, digits, - and _',
    fr: 'un fournisseur n’attribue rien de tel\u00a0: lettres, chiffres, - et _',
    fix: {
      en: 'copy it from the provider’s console, without spaces',
      fr: 'recopiez-la depuis la console du fournisseur, sans espace',
    },
  },
  sms_sender: {
    code: 'SP-1533',
    en: '"{value}" cannot be what a message comes from',
    fr: '«\u00a0{value}\u00a0» ne peut pas être l’expéditeur d’un message',
    fix: {
      en: 'a number such as +33612345678, or up to 11 letters and digits',
      fr: 'un numéro comme +33612345678, ou 11 lettres et chiffres au plus',
    },
  },
  sms_endpoint: {
    code: 'SP-1534',
    en: '"{value}" is no address to call a provider at',
    fr: '«\u00a0{value}\u00a0» n’est pas une adresse où appeler un fournisseur',
    fix: {
      en: 'write an https:// URL without query; http:// is for this machine only',
      fr: 'écrivez une URL https:// sans requête\u202f; http:// ne vaut que pour cette machine',
    },
  },
  sms_country: {
    code: 'SP-1535',
    en: '"{value}" is no country',
    fr: '«\u00a0{value}\u00a0» n’est pas un pays',
    fix: { en: 'two letters, e.g. FR', fr: 'deux lettres, par ex. FR' },
  },
  sms_log_exposed: {
    code: 'SP-1536',
    en: 'the provider "log" writes every code and number into the log',
    fr: 'le fournisseur «\u00a0log\u00a0» écrit chaque code et chaque numéro dans le journal',
    fix: {
      en: 'use ovh or twilio; to try out all the same, insecure_log: true',
      fr: 'choisissez ovh ou twilio\u202f; pour un essai malgré tout, insecure_log: true',
    },
  },
  sms_log_used: {
    code: 'SP-1539',
    severity: 'warning',
    en: 'the provider "log" sends nothing: codes and numbers go into the log',
    fr: 'le fournisseur «\u00a0log\u00a0» n’envoie rien\u00a0: codes et numéros vont dans le journal',
    fix: { en: 'for trying out only', fr: 'pour un essai seulement' },
  },
  bad_smtp: {
    code: 'SP-1540',
    en: '"{value}" is not a mail server such as smtp://mail.example.com:587',
    fr: '«\u00a0{value}\u00a0» n’est pas un serveur de messagerie comme smtp://mail.example.com:587',
    fix: {
      en: 'write smtps:// for TLS from the start (port 465), smtp:// for STARTTLS (port 587)',
      fr: 'écrivez smtps:// pour du TLS d’emblée (port 465), smtp:// pour STARTTLS (port 587)',
    },
  },
  smtp_credentials: {
    code: 'SP-1541',
    en: 'user and password do not belong in the address',
    fr: 'l’utilisateur et le mot de passe n’ont pas leur place dans l’adresse',
    fix: {
      en: 'put them under mail.user and mail.password',
      fr: 'mettez-les sous mail.user et mail.password',
    },
  },
  bad_mailbox: {
    code: 'SP-1542',
    en: '"{value}" is not an e-mail address',
    fr: '«\u00a0{value}\u00a0» n’est pas une adresse e\u2011mail',
    fix: {
      en: 'write name@example.com, or "Example <name@example.com>"',
      fr: 'écrivez nom@exemple.fr, ou "Exemple <nom@exemple.fr>"',
    },
  },
  mail_half_login: {
    code: 'SP-1543',
    en: '{given} without {lacks}',
    fr: '{given} sans {lacks}',
    fix: { en: 'set both, or neither', fr: 'réglez les deux, ou aucun des deux' },
  },
  mail_in_clear: {
    code: 'SP-1544',
    en: 'mail, one-time links and the password would cross the network to {value} in clear',
    fr: 'les messages, les liens à usage unique et le mot de passe iraient en clair jusqu’à {value}',
    fix: {
      en: 'use starttls: required, or smtps://; never is for a server on this machine',
      fr: 'utilisez starttls: required, ou smtps://\u202f; never vaut pour un serveur de cette machine',
    },
  },

  required_of_nobody: {
    code: 'SP-1560',
    en: 'this asks nobody for a second factor',
    fr: 'aucune personne n’est tenue ici à un second facteur',
    fix: {
      en: 'write everybody, or name users or groups; or remove the key',
      fr: 'écrivez everybody, ou nommez users ou groups\u202f; ou retirez la clé',
    },
  },
  required_twice: {
    code: 'SP-1561',
    en: 'everybody takes in those that "{key}" names',
    fr: 'everybody comprend déjà les personnes que nomme «\u00a0{key}\u00a0»',
    fix: { en: 'keep one of the two', fr: 'gardez l’un des deux' },
  },
  step_up_unused: {
    code: 'SP-1562',
    en: '"{key}" has no meaning on a rule whose policy is {policy}: nobody signs in for it',
    fr: '«\u00a0{key}\u00a0» n’a pas de sens sur une règle de policy {policy}\u00a0: personne ne s’y connecte',
    fix: {
      en: 'remove it, or use one_factor or two_factor',
      fr: 'retirez-la, ou utilisez one_factor ou two_factor',
    },
  },
  factor_needs_two: {
    code: 'SP-1563',
    en: 'a rule that asks for {value} lets nobody in with a password alone',
    fr: 'une règle qui demande {value} ne s’ouvre pas avec le seul mot de passe',
    fix: { en: 'write policy: two_factor', fr: 'écrivez policy: two_factor' },
  },
  grace_unused: {
    code: 'SP-1564',
    severity: 'warning',
    en: 'without required_for, nobody has a second factor to put off',
    fr: 'sans required_for, personne n’a de second facteur à remettre à plus tard',
    fix: {
      en: 'add required_for, or remove the key',
      fr: 'ajoutez required_for, ou retirez la clé',
    },
  },
  never_reached: {
    code: 'SP-1401',
    severity: 'warning',
    en: 'never reached: rule {number} already matches everything this one does',
    fr: 'jamais atteinte\u00a0: la règle {number} correspond déjà à tout ce que vise celle-ci',
    fix: {
      en: 'the first match decides: move this rule up, or remove it',
      fr: 'la première correspondance décide\u00a0: remontez cette règle, ou retirez-la',
    },
  },
  no_rules: {
    code: 'SP-1402',
    severity: 'warning',
    en: 'the app has no rules, so everything in it is denied',
    fr: 'l’application n’a pas de règles\u00a0: tout y est refusé',
    fix: {
      en: 'e.g. rules: [{policy: two_factor}]',
      fr: 'par ex. rules: [{policy: two_factor}]',
    },
  },
  session_shorter: {
    code: 'SP-1403',
    severity: 'warning',
    en: '{value} is shorter than sessions.{other}, {limit}',
    fr: '{value}, c’est moins que sessions.{other}, {limit}',
    fix: { en: '{effect}', fr: '{effect}' },
  },
  world_readable: {
    code: 'SP-1404',
    severity: 'warning',
    en: 'every account on this machine can read {file}',
    fr: 'tous les comptes de cette machine peuvent lire {file}',
    fix: { en: 'chmod 600 {file}', fr: 'chmod 600 {file}' },
  },
  path_looks_regex: {
    code: 'SP-1405',
    severity: 'warning',
    en: '"{value}" looks like a regular expression; only * and ** are special',
    fr: '«\u00a0{value}\u00a0» ressemble à une expression rationnelle\u202f; seuls * et ** sont spéciaux',
    fix: {
      en: '* matches within a segment, /** everything below',
      fr: '* vaut dans un segment, /** pour tout ce qui est dessous',
    },
  },
  cookie_domain_needless: {
    code: 'SP-1406',
    severity: 'warning',
    en: 'everything is on one host; with cookie_domain the cookie goes to every host under {domain}',
    fr: 'tout est sur un seul hôte\u202f; avec cookie_domain, le cookie va à tous les hôtes sous {domain}',
    fix: { en: 'remove the key', fr: 'retirez la clé' },
  },
  insecure_allowed: {
    code: 'SP-1407',
    severity: 'warning',
    en: 'passwords cross the network in clear (insecure_http)',
    fr: 'les mots de passe circulent en clair sur le réseau (insecure_http)',
    fix: { en: 'use https as soon as you can', fr: 'passez à https dès que possible' },
  },
  network_host_bits: {
    code: 'SP-1440',
    severity: 'warning',
    en: '{value} is an address within a network, not the network itself',
    fr: '{value} est une adresse dans un réseau, pas le réseau lui-même',
  },
  network_covered: {
    code: 'SP-1441',
    severity: 'warning',
    en: '{value} is part of {other}, which is in the same list',
    fr: '{value} fait partie de {other}, qui figure dans la même liste',
    fix: { en: 'remove one of the two', fr: 'retirez l’un des deux' },
  },
  network_no_loopback: {
    code: 'SP-1442',
    severity: 'warning',
    en: 'the machine itself is not in the list: from it, only health probes are answered',
    fr: 'la machine elle-même n’est pas dans la liste\u00a0: de sa part, seules les sondes de santé reçoivent une réponse',
    fix: {
      en: 'add 127.0.0.0/8 and ::1/128 if programs on it ask for pages',
      fr: 'ajoutez 127.0.0.0/8 et ::1/128 si des programmes y demandent des pages',
    },
  },
  admin_exposed: {
    code: 'SP-1443',
    severity: 'warning',
    en: '{value} is not loopback: whoever reaches it reads the metrics',
    fr: '{value} n’est pas une adresse de bouclage\u00a0: quiconque l’atteint lit les métriques',
    fix: {
      en: 'keep it on a private network that only your monitoring reaches',
      fr: 'gardez-la sur un réseau privé que seule votre supervision atteint',
    },
  },
  socket_untrusted: {
    code: 'SP-1450',
    severity: 'warning',
    en: 'whoever connects to this socket is not believed: all of them count as one client, and forward-auth is refused',
    fr: 'qui se connecte à ce socket n’est pas cru\u00a0: tous comptent pour un seul client, et le forward-auth est refusé',
    fix: { en: 'add unix to trusted_proxies', fr: 'ajoutez unix à trusted_proxies' },
  },
  tls_unused: {
    code: 'SP-1451',
    severity: 'warning',
    en: 'without listen.https, these certificates serve nobody',
    fr: 'sans listen.https, ces certificats ne servent à personne',
    fix: {
      en: 'add listen: {https: ":443"}, or remove the key',
      fr: 'ajoutez listen: {https: ":443"}, ou retirez la clé',
    },
  },
  certificate_date: {
    code: 'SP-1452',
    severity: 'warning',
    en: 'the certificate {date}: browsers turn it down',
    fr: 'le certificat {date}\u00a0: les navigateurs le refusent',
    fix: {
      en: 'renew it; sallyport takes the new one without a restart',
      fr: 'renouvelez-le\u202f; sallyport prendra le nouveau sans redémarrer',
    },
  },
  certificate_lacks_host: {
    code: 'SP-1453',
    severity: 'warning',
    en: 'no certificate under tls is for {host}',
    fr: 'aucun certificat de tls ne vaut pour {host}',
    fix: {
      en: 'add one that names it',
      fr: 'ajoutez-en un qui le nomme',
    },
  },

  keys_warned_first: {
    code: 'SP-1600',
    severity: 'warning',
    en: 'keys are warned about after {after}, before they are rotated after {every}',
    fr: 'les clés sont signalées après {after}, avant leur renouvellement après {every}',
    fix: {
      en: 'set keys.warn_after to more than keys.rotate_every',
      fr: 'donnez à keys.warn_after plus que keys.rotate_every',
    },
  },

  accent_invalid: {
    code: 'SP-1570',
    en: '"{value}" is not a colour',
    fr: '«\u00a0{value}\u00a0» n’est pas une couleur',
    fix: {
      en: 'write it like "#0f5c6e", in quotes',
      fr: 'écrivez-la comme "#0f5c6e", entre guillemets',
    },
  },
  accent_contrast: {
    code: 'SP-1571',
    en: '{value} is hard to read in the {theme} theme: {ratio}:1 against {ground}, 4.5:1 is needed',
    fr: '{value} se lit mal dans le thème {theme}\u00a0: {ratio}:1 contre {ground}, il faut 4,5:1',
  },
  brand_dark_alone: {
    code: 'SP-1572',
    en: 'the key "{key}_dark" needs "{key}" beside it',
    fr: 'la clé «\u00a0{key}_dark\u00a0» ne va pas sans «\u00a0{key}\u00a0»',
  },
  logo_unreadable: {
    code: 'SP-1573',
    en: 'the file {file} cannot be read ({reason})',
    fr: 'le fichier {file} ne peut pas être lu ({reason})',
    fix: {
      en: 'check the path and the permissions of the account that runs sallyport',
      fr: 'vérifiez le chemin et les droits du compte qui lance sallyport',
    },
  },
  logo_unfit: {
    code: 'SP-1574',
    en: '{file} is no picture that can be shown',
    fr: '{file} n’est pas une image qui puisse être affichée',
    fix: {
      en: 'give an SVG without scripts or a PNG, {limit} at most',
      fr: 'donnez un SVG sans script ou un PNG, {limit} au plus',
    },
  },
  status_page: {
    code: 'SP-1575',
    en: '"{value}" is not an https: link',
    fr: '«\u00a0{value}\u00a0» n’est pas un lien https:',
  },
  passkey_domain: {
    code: 'SP-1520',
    en: 'passkeys cannot be bound to the address {value}',
    fr: 'les clés d’accès ne peuvent pas être liées à l’adresse {value}',
    fix: {
      en: 'give a domain name, e.g. example.com, or leave the key out',
      fr: 'indiquez un nom de domaine, par ex. example.com, ou retirez la clé',
    },
  },
  token_outlives: {
    code: 'SP-1610',
    en: '{value} is longer than {key} allows, {limit}',
    fr: '{value}, c’est plus que {key} ne permet, {limit}',
    fix: {
      en: 'an access token ends before its refresh token, and that one with the sign-in: access < refresh ≤ absolute',
      fr: 'un jeton d’accès prend fin avant son jeton de rafraîchissement, et celui-ci avec la connexion\u00a0: access < refresh ≤ absolute',
    },
  },
  basic_password_unused: {
    code: 'SP-1620',
    en: 'no rule of this app is content with a password, so none would ever be taken',
    fr: 'aucune règle de cette application ne se contente d’un mot de passe\u00a0: aucun ne serait accepté',
    fix: {
      en: 'write tokens, or add a rule with policy: one_factor',
      fr: 'écrivez tokens, ou ajoutez une règle avec policy: one_factor',
    },
  },
  upstream_login_user: {
    code: 'SP-1630',
    en: 'no app takes this name at its own login: a colon or a control character, or more than {max} characters',
    fr: 'aucune application n’accepte ce nom à sa propre connexion\u00a0: deux-points ou caractère de contrôle, ou plus de {max} caractères',
  },
  upstream_login_password: {
    code: 'SP-1631',
    en: 'the password holds a control character, e.g. a line break, or more than {max} characters',
    fr: 'le mot de passe contient un caractère de contrôle, par ex. un saut de ligne, ou plus de {max} caractères',
  },
  assertion_audience_shared: {
    code: 'SP-1632',
    severity: 'warning',
    en: 'the app "{app}" has the audience "{value}" too: each can pass itself off at the other as its users',
    fr: 'l’application «\u00a0{app}\u00a0» a aussi l’audience «\u00a0{value}\u00a0»\u00a0: chacune peut se faire passer auprès de l’autre pour ses utilisateurs',
    fix: {
      en: 'give each its own, or leave audience out: then it is the name of the app',
      fr: 'donnez à chacune la sienne, ou omettez audience\u00a0: c’est alors le nom de l’application',
    },
  },
} as const satisfies Readonly<Record<string, Entry>>

/** Names a kind of problem in code and in JSON; stable like the codes. */
export type ProblemKind = keyof typeof PROBLEMS

type Entry = {
  readonly code: `SP-${number}`
  readonly severity?: 'warning'
  readonly en: string
  readonly fr: string
  readonly fix?: { readonly en: string; readonly fr: string }
}
