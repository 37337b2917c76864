<?php

// Debian's DokuWiki as it is, told where its configuration lies in the way Debian's own preload
// does for a wiki of a farm.

define('DOKU_CONF', getenv('DOKUWIKI_CONF'));
define('DOKU_FARM', 'default');
