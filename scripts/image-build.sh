#!/bin/sh
# What the container image is made of, as one script: the Dockerfile runs it in its stages, and test/install/image.test.ts
# runs it in a bootstrapped Debian root without Docker.
#
#   build-packages   (root)      what building needs
#   app DIR          (any user)  the program, ready to run, into DIR
#   run-packages     (root)      what running needs
set -eu

root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P)

install() {
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
  rm -rf /var/lib/apt/lists/*
}

build_app() {
  target=$1
  # shellcheck source=scripts/setup.sh
  . "$root/scripts/setup.sh"
  need_bun
  need_dependencies
  need_web
  need_native
  mkdir -p "$target/bin" "$target/scripts" "$target/web" "$target/native" "$target/.setup/native"
  cp "$bun" "$target/bin/bun"
  cp -R "$root/src" "$root/migrations" "$target/"
  cp "$root/package.json" "$root/bun.lock" "$root/bunfig.toml" "$root/LICENSE" "$target/"
  cp -R "$root/web/dist" "$target/web/"
  cp "$root"/native/*.ts "$target/native/"
  cp "$setup/native/torrx.node" "$setup/native/torrx-exec" "$target/.setup/native/"
  cp "$root/scripts/image-entrypoint.sh" "$root/scripts/image-health.ts" "$target/scripts/"
  (cd "$target" && "$bun" install --production --frozen-lockfile)
}

case ${1:-} in
  build-packages) install ca-certificates g++ nodejs npm ;;
  run-packages) install ca-certificates ffmpeg util-linux ;;
  app) build_app "${2:?app needs a folder}" ;;
  *)
    echo "usage: image-build.sh build-packages | app DIR | run-packages" >&2
    exit 2
    ;;
esac
