<?php

// Answers with the request headers as PHP knows them. PHP, like every CGI descendant, turns
// header names into upper case variables and folds what is no letter or digit into `_`.

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
