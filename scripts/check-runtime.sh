#!/bin/sh
# Runs after `npm ci`: the Node that comes with it must start. It is linked against libatomic, which
# a minimal Debian does not have; as root that is put right here, otherwise it is said how.
set -u
node=node_modules/node/bin/node
[ -x "$node" ] || exit 0
error=$("$node" --version 2>&1 >/dev/null) && exit 0

case $error in
  *libatomic*)
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      echo 'Node 26 needs libatomic1, which is missing here: installing it with apt-get.'
      { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends libatomic1; } >/dev/null &&
        "$node" --version >/dev/null && exit 0
    fi
    echo 'Node 26 needs a system library that is missing here. As root: apt-get install libatomic1' >&2
    ;;
  *) printf 'The Node that came with npm ci does not start:\n%s\n' "$error" >&2 ;;
esac
exit 1
