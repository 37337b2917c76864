/**
 * Well-known passwords, French and English, in lower case and without spaces, and the product's
 * own name. Digits and signs around one are not counted, so each stands for its variants.
 */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `
  password passw0rd p@ssw0rd p@ssword pa$$word passpass password1password passwordpassword
  mypassword newpassword thepassword yourpassword nopassword password123password adminpassword
  userpassword rootpassword testpassword defaultpassword secretpassword masterpassword
  administrator administrateur administration superuser superadmin adminadmin rootroot testtest
  testtesttest useruser guestguest changeme changemenow changemeplease changethis pleasechangeme
  letmein letmeinnow letmeinplease welcome welcomehome welcomeback opensesame iloveyou iloveyouso
  iloveyoumore iloveyouforever trustno trustnobody whatever whateveryouwant computer internet
  sunshine princess football baseball basketball superman batman spiderman starwars pokemon
  michael jennifer jordan michelle charlie jessica liverpool chelseafc manchester manchesterunited
  arsenalfc realmadrid barcelona corvette mercedes ferrari yamaha snowboard butterfly chocolate
  strawberry blueberry blackberry alexander alexandra elizabeth christopher victoria stephanie
  samantha nicholas benjamin rockyou godzilla qwertyqwerty qwerty123qwerty azertyazerty
  qwertyuiop azertyuiop asdfasdf asdfghjkl qsdfghjklm zxcvbnm wxcvbn qazwsxedc qazwsxedcrfv
  q1w2e3r4t5 q1w2e3r4t5y6 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv zaq12wsxcde3
  a1z2e3r4t5 a1z2e3r4t5y6 aqwzsxedc abcd1234abcd abc123abc123 123abc456def 1a2b3c4d5e6f
  a1b2c3d4e5f6 112233445566 123123123123 123412341234 121212121212 131313131313 101010101010
  111222333444 147258369 147258369147 741852963 159753258456 987654321987 123321123321
  correcthorsebatterystaple
  motdepasse monmotdepasse motdepassemotdepasse lemotdepasse motdepasseadmin
  bonjour bonjourbonjour bonjourtoutlemonde bienvenue bienvenuechezmoi jetaime jetaimemonamour
  jetaimefort jetaimeplus monamour monamourdemavie monbebe moncoeur mapuce loulou doudou chouchou
  doudoudoudou nounours coucou coucoucoucou soleil soleilsoleil marseille olympiquedemarseille
  parissaintgermain allezlesbleus allezlom vivelafrance liberteegalitefraternite bretagne
  toulouse bordeaux strasbourg saintetienne nicolas alexandre christophe sebastien stephane
  frederic guillaume isabelle catherine veronique caroline jeanpierre mariejeanne camille
  aurelie vincent philippe francois chocolat papillon princesse tartiflette camembert
  changezmoi changermoi achanger provisoire temporaire utilisateur ordinateur secretsecret
  azerty qwerty qwertz azertyqwerty
  sallyport sallyportsallyport sallyportadmin adminsallyport
  `
    .split(/\s+/u)
    .filter((word) => word !== ''),
)
