#!/bin/sh
# First process of the container, and "torrx" for commands in it: gives the volumes to PUID:PGID, gives up root for good, starts TorrX. The working
# directory is / so that the default paths (data/..., config/torrx.yaml) are the volumes.
set -eu

# The two volumes; variables for the tests alone.
data=${IMAGE_DATA_DIR:-/data}
config=${IMAGE_CONFIG_DIR:-/config}
app=$(CDPATH='' cd "$(dirname "$(readlink -f "$0")")/.." && pwd -P)
user=${PUID:-1000}
group=${PGID:-1000}

stop() {
  echo "torrx: $*" >&2
  exit 1
}

case $user$group in *[!0-9]*) stop "PUID and PGID are numbers, not \"$user\" and \"$group\"" ;; esac

drop=
if [ "$(id -u)" -eq 0 ]; then
  [ "$user" -ne 0 ] && [ "$group" -ne 0 ] || stop "PUID=$user PGID=$group would run TorrX as root, which is refused; set both in .env to the user who is to own the files (1000 without one)"
  drop="setpriv --reuid=$user --regid=$group --clear-groups --inh-caps=-all --no-new-privs"
  # Only what is somebody else's, so that a big library costs one walk; a volume that refuses is told below.
  find "$data" "$config" -xdev \( ! -user "$user" -o ! -group "$group" \) -exec chown -h "$user:$group" {} + 2>/dev/null || true
else
  user=$(id -u)
  group=$(id -g)
fi

# Asked by writing: rights alone do not tell of a read-only mount or of a server that maps root away.
# shellcheck disable=SC2086 # $drop is a command of several words or none
$drop sh -c 'probe=$1/.torrx-write-test && : >"$probe" && rm -f "$probe"' sh "$data" 2>/dev/null ||
  stop "$data is not writable for user $user:$group; fix: chown -R $user:$group the folder behind it on the host, or set PUID and PGID to its owner"
# shellcheck disable=SC2086
[ ! -e "$config/torrx.yaml" ] || $drop test -r "$config/torrx.yaml" ||
  stop "$config/torrx.yaml is not readable for user $user:$group; fix: chmod a+r on the host, or set PUID and PGID to its owner"

# As in ./torrx.
export BUN_JSC_useFTLJIT=0
export HOME=/tmp
cd "${data%/*}/"
[ $# -gt 0 ] || set -- start
# shellcheck disable=SC2086
exec $drop "$app/bin/bun" --config="$app/bunfig.toml" --no-env-file "$app/src/main.ts" "$@"
