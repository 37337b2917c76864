<?php

// Debian's Adminer as it is, set up the way its own conf.php is: through adminer_object().
// Adminer refuses databases that know no password unless its login-password-less plug-in asks
// for one; ADMINER_PASSWORD is that password.

const ADMINER_DIR = '/usr/share/adminer';

function adminer_object()
{
    include_once ADMINER_DIR . '/plugins/plugin.php';
    include_once ADMINER_DIR . '/plugins/version-noverify.php';
    include_once ADMINER_DIR . '/plugins/login-password-less.php';

    return new AdminerPlugin([
        new AdminerVersionNoverify(),
        new AdminerLoginPasswordLess(password_hash(getenv('ADMINER_PASSWORD'), PASSWORD_DEFAULT)),
    ]);
}

include ADMINER_DIR . '/adminer.php';
