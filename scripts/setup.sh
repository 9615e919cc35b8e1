# shellcheck shell=sh
# Set-up for ./torrx and scripts/image-build.sh; sourced, with $root set. Each need_* either leaves its part complete or
# stops with one line; want_* only warns. A part is built in .setup/tmp.*, moved into place whole, and its stamp is
# written last, so that a run that dies in the middle leaves what was there before. One set-up runs at a time.

BUN_VERSION=1.4.5
setup=$root/.setup
bun=

say() { echo "torrx: $*" >&2; }
stop() {
  say "$*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" -eq 0 ]; }

# Locking: the lock is file descriptor 9, given back before the program starts (it would inherit it).
lock() {
  mkdir -p "$setup" 2>/dev/null && [ -w "$setup" ] || stop "cannot write to $setup; run this as the owner of $root"
  exec 9>"$setup/lock"
  if have flock; then
    flock -n 9 || {
      say "another set-up is running; waiting for it"
      flock 9
    }
    # Whoever made these is gone: it would hold the lock.
    rm -rf "$setup"/tmp.*
  fi
  work=$(mktemp -d "$setup/tmp.XXXXXX")
}
unlock() {
  rm -rf "$work"
  exec 9>&-
}

# quietly WHAT FIX command...: its output only when it fails.
quietly() {
  what=$1 fix=$2
  shift 2
  say "$what"
  if ! "$@" >"$work/log" 2>&1 </dev/null; then
    tail -n 15 "$work/log" >&2
    rm -rf "$work"
    stop "$what failed; $fix"
  fi
}

# --- system packages -----------------------------------------------------------------------------------------------

package_command() {
  if have apt-get; then
    echo "apt-get install -y --no-install-recommends $*"
  elif have apk; then
    echo "apk add $*"
  elif have dnf; then
    echo "dnf install -y $*"
  else
    echo "the package manager of this system: $*"
  fi
}

# install_packages NAME...: true when all are in. Needs root and a package manager; says nothing.
install_packages() {
  is_root || return 1
  log=${work:-/tmp}/packages.log
  if have apt-get; then
    run_apt "$@" >"$log" 2>&1 </dev/null || { apt-get update && run_apt "$@"; } >"$log" 2>&1 </dev/null
  elif have apk; then
    apk add --no-cache "$@" >"$log" 2>&1 </dev/null
  elif have dnf; then
    dnf install -y "$@" >"$log" 2>&1 </dev/null
  else
    return 1
  fi
}
# Run level 1 keeps packages from starting their services (transmission-daemon, opentracker).
# An unknown name with a "+" is a regular expression to apt: "g++" matches much that is installed, and that would be all.
run_apt() {
  for name in "$@"; do
    shift
    case $name in *+*) name="^$(echo "$name" | sed 's/+/[+]/g')\$" ;; esac
    set -- "$@" "$name"
  done
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends "$@"
}

# --- Bun -----------------------------------------------------------------------------------------------------------

is_pinned_bun() { [ "$("$1" --version 2>/dev/null)" = "$BUN_VERSION" ]; }

find_bun() {
  if is_pinned_bun "$setup/bun-$BUN_VERSION/bun"; then
    bun=$setup/bun-$BUN_VERSION/bun
  elif have bun && is_pinned_bun bun; then
    bun=$(command -v bun)
  else
    return 1
  fi
}

need_bun() {
  find_bun && return
  lock
  find_bun || install_bun
  unlock
  find_bun || stop "Bun $BUN_VERSION was installed but does not run on this machine"
}

install_bun() {
  if ! have npm; then
    say "installing npm"
    install_packages nodejs npm || true
    have npm || stop "npm is missing; fix: $(package_command nodejs npm)"
  fi
  # The program comes in a package of its own for each platform; no install script is needed to get it.
  echo '{"private":true}' >"$work/package.json"
  quietly "installing Bun $BUN_VERSION" "npm must reach its registry; then run this again" \
    npm install --prefix "$work" --ignore-scripts --no-audit --no-fund --no-package-lock "bun@$BUN_VERSION"
  for candidate in "$work"/node_modules/@oven/bun-*/bin/bun "$work"/node_modules/bun/bin/bun.exe; do
    if is_pinned_bun "$candidate"; then
      mkdir "$work/bun"
      cp -L "$candidate" "$work/bun/bun"
      rm -rf "$setup/bun-$BUN_VERSION"
      mv "$work/bun" "$setup/bun-$BUN_VERSION"
      return
    fi
  done
  rm -rf "$work"
  stop "npm has no Bun $BUN_VERSION for this machine ($(uname -sm))"
}

# --- dependencies --------------------------------------------------------------------------------------------------

dependency_stamp() { cat "$root/package.json" "$root/bun.lock" | cksum; }
dependencies_are_there() {
  [ "$(cat "$root/node_modules/.torrx-stamp" 2>/dev/null)" = "$(dependency_stamp)" ]
}

# need_dependencies [flag of bun install...]
need_dependencies() {
  dependencies_are_there && return
  lock
  dependencies_are_there || install_dependencies "$@"
  unlock
}

install_dependencies() {
  [ -w "$root" ] || stop "cannot write to $root; run this as its owner"
  cp "$root/package.json" "$root/bun.lock" "$root/bunfig.toml" "$work/"
  quietly "installing dependencies" "the package registry must be reachable; then run this again" \
    "$bun" install --cwd "$work" --frozen-lockfile "$@"
  mkdir -p "$work/node_modules"
  dependency_stamp >"$work/node_modules/.torrx-stamp"
  [ ! -e "$root/node_modules" ] || mv "$root/node_modules" "$work/old_modules"
  mv "$work/node_modules" "$root/node_modules"
}

# --- web page ------------------------------------------------------------------------------------------------------

need_web() {
  "$bun" --no-env-file "$root/scripts/build.ts" --check && return
  lock
  (cd "$root" && "$bun" --no-env-file scripts/build.ts --work "$work") || {
    rm -rf "$work"
    stop "building the web page failed"
  }
  unlock
}

# --- native addon --------------------------------------------------------------------------------------------------

native_build() { "$bun" --no-env-file "$root/native/build.ts" "$@"; }

# Nothing replaces it: without it there is no start.
need_native() {
  native_build --check && return
  lock
  have_compiler || install_compiler
  native_build || {
    rm -rf "$work"
    exit 1
  }
  unlock
}

# Also true when nothing is left to compile, because another set-up did it meanwhile.
have_compiler() {
  state=0
  native_build --check || state=$?
  [ "$state" -ne 3 ]
}

install_compiler() {
  # One that the user names is the user's; the build says that it is not there.
  [ -z "${CXX:-}" ] || return 0
  if is_root; then
    say "installing a C++ compiler"
    # shellcheck disable=SC2046 # a list of words
    install_packages $(compiler_packages) || tail -n 5 "$log" >&2 || true
    have_compiler && return
  fi
  rm -rf "$work"
  # shellcheck disable=SC2046
  stop "a C++ compiler is missing; fix: $(package_command $(compiler_packages))"
}
compiler_packages() {
  if have dnf && ! have apt-get; then echo "gcc-c++ libstdc++-static"; else echo "g++"; fi
}

# --- FFmpeg and the tests' tools -----------------------------------------------------------------------------------

retry_ffmpeg() { rm -f "$setup/ffmpeg-failed"; }

# Tried once by itself: a start must not wait for a package manager every time.
want_ffmpeg() {
  # One that the user names is the user's; the program says so if it is not there.
  [ -z "${TORRX_FFMPEG_PATH:-}" ] || return 0
  have ffmpeg && return
  if is_root && [ ! -e "$setup/ffmpeg-failed" ]; then
    lock
    say "installing FFmpeg"
    install_packages ffmpeg || : >"$setup/ffmpeg-failed"
    unlock
    have ffmpeg && return
  fi
  say "FFmpeg is missing: this version serves files as they are and works without it; fix: $(package_command ffmpeg)"
}

# missing_test_packages: Debian's names of what the tests need and this machine lacks.
missing_test_packages() {
  while read -r probe package; do
    have "$probe" || [ -x "/usr/sbin/$probe" ] || printf '%s ' "$package"
  done <<'LIST'
ffmpeg ffmpeg
transmission-daemon transmission-daemon
qbittorrent-nox qbittorrent-nox
aria2c aria2
chromium chromium
ip iproute2
nginx nginx-light
mpv mpv
strace strace
curl curl
unshare util-linux
debootstrap debootstrap
opentracker opentracker
LIST
  /usr/bin/python3 -c 'import libtorrent' 2>/dev/null || printf 'python3-libtorrent '
}

want_test_tools() {
  missing=$(missing_test_packages)
  [ -n "$missing" ] || return 0
  if is_root && have apt-get && [ -z "${TORRX_TEST_NO_INSTALL:-}" ]; then
    lock
    say "installing what the tests need: $missing"
    # shellcheck disable=SC2086 # a list of words
    install_packages $missing || {
      tail -n 5 "$log" >&2
    }
    unlock
    missing=$(missing_test_packages)
    [ -n "$missing" ] || return 0
  fi
  say "tests that need these are skipped: $missing; fix: apt-get install -y --no-install-recommends $missing"
}
