<?php
// Nothing but PHP with its openssl extension.

/** Who sends the request, or an exception: then answer 401 and nothing else. */
function who_is(string $assertion): array
{
    if (!preg_match('/^[\w-]+\.[\w-]+\.[\w-]+$/D', $assertion)) {
        throw new UnexpectedValueException('not a token');
    }
    [$head, $body, $signature] = explode('.', $assertion);
    $header = json_decode(bytes_of($head), true);
    if (($header['alg'] ?? '') !== 'ES256' || ($header['typ'] ?? '') !== 'sallyport-assertion+jwt') {
        throw new UnexpectedValueException('not an assertion');
    }
    $key = pem_of(key_named($header['kid'] ?? ''));
    if (openssl_verify("$head.$body", der_of(bytes_of($signature)), $key, OPENSSL_ALGO_SHA256) !== 1) {
        throw new UnexpectedValueException('not signed by Sallyport');
    }
    $person = json_decode(bytes_of($body), true);
    if (
        ($person['iss'] ?? '') !== getenv('SALLYPORT_ISSUER') ||
        ($person['aud'] ?? '') !== getenv('SALLYPORT_AUDIENCE') ||
        !is_int($person['exp'] ?? null) || $person['exp'] <= time()
    ) {
        throw new UnexpectedValueException('not for this app, or too old');
    }
    return $person;
}

/** Fetched once, kept, and fetched again when a key is new: in a web app, keep it in APCu. */
function key_named(string $kid): array
{
    static $keys = [];
    if (!isset($keys[$kid])) {
        $set = json_decode(file_get_contents(getenv('SALLYPORT_JWKS')), true);
        $keys = array_column($set['keys'], null, 'kid');
    }
    return $keys[$kid] ?? throw new UnexpectedValueException('no such key');
}

function bytes_of(string $base64url): string
{
    return (string) base64_decode(strtr($base64url, '-_', '+/'), true);
}

/** RFC 5480: a point of P-256, as OpenSSL reads public keys. */
function pem_of(array $key): string
{
    $prefix = hex2bin('3059301306072a8648ce3d020106082a8648ce3d030107034200') . "\x04";
    $point = chunk_split(base64_encode($prefix . bytes_of($key['x']) . bytes_of($key['y'])), 64, "\n");
    return "-----BEGIN PUBLIC KEY-----\n$point-----END PUBLIC KEY-----\n";
}

/** RFC 7518 3.4 has the two numbers side by side, OpenSSL wants them in a sequence. */
function der_of(string $signature): string
{
    if (strlen($signature) !== 64) {
        throw new UnexpectedValueException('not a signature');
    }
    $numbers = '';
    foreach (str_split($signature, 32) as $number) {
        $number = ltrim($number, "\0");
        $number = $number === '' || ord($number) > 127 ? "\0$number" : $number;
        $numbers .= "\x02" . chr(strlen($number)) . $number;
    }
    return "\x30" . chr(strlen($numbers)) . $numbers;
}

// In an app: who_is($_SERVER['HTTP_SALLYPORT_ASSERTION']). Here: one a line.
while (($line = fgets(STDIN)) !== false) {
    try {
        echo 'welcome ' . who_is(rtrim($line, "\n"))['preferred_username'] . "\n";
    } catch (Throwable) {
        echo "refused\n";
    }
}
