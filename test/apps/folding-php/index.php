<?php

// Answers with the request headers as PHP knows them. It turns their names into variables: upper
// case, `-` becomes `_` as in CGI (RFC 3875 4.1.18), and so do `.` and the space, as in every
// variable that comes from outside.

$counter = fopen(getenv('COUNTER_FILE'), 'c+');
flock($counter, LOCK_EX);
$requests = (int) stream_get_contents($counter) + 1;
ftruncate($counter, 0);
rewind($counter);
fwrite($counter, (string) $requests);
fclose($counter);

$headers = array_filter(
    $_SERVER,
    fn($name) => str_starts_with($name, 'HTTP_'),
    ARRAY_FILTER_USE_KEY,
);
ksort($headers);

header('Content-Type: application/json');
echo json_encode([
    'method' => $_SERVER['REQUEST_METHOD'],
    'uri' => $_SERVER['REQUEST_URI'],
    'headers' => (object) $headers,
    'requests' => $requests,
], JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
