#!/bin/sh
# Installs aic-broker and aic-mcp for this user from a release, after checking what was fetched.
# Usage: install.sh [--from URL_OR_DIRECTORY] [--to DIRECTORY]
#   --from  where the release's files are (the newest release on the project's page)
#   --to    where the programs go ($HOME/.local/bin)
# Needs sha256sum or shasum, tar, and curl where it has to fetch. Changes nothing unless every checksum fits.
set -eu

from=https://github.com/aic-broker/aic-broker/releases/latest/download
to=$HOME/.local/bin

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

usage() {
  sed -n '2,6s/^# //p' "$0" >&2
  exit 2
}

# fetch NAME: brings a file of the release into the work directory
fetch() {
  case $from in
    http://* | https://*) curl --fail --silent --show-error --location --proto '=https,http' --output "$work/$1" "$from/$1" ||
      fail "$from/$1 could not be fetched; nothing was installed" ;;
    *) cp "$from/$1" "$work/$1" || fail "$from/$1 is not there; nothing was installed" ;;
  esac
}

sum_of() {
  if command -v sha256sum > /dev/null; then sha256sum "$1" | cut -d ' ' -f 1; else shasum -a 256 "$1" | cut -d ' ' -f 1; fi
}

# The archive for this machine, as the release's list of checksums names it.
archive_for() {
  system=$(uname -s | tr '[:upper:]' '[:lower:]')
  case $system in darwin) system=macos ;; esac
  machine=$(uname -m)
  case $machine in arm64) machine=aarch64 ;; amd64) machine=x86_64 ;; esac
  sed -n "s/^[0-9a-f]*  \(aic-broker-[0-9A-Za-z.+-]*-$machine-$system\.tar\.gz\)\$/\1/p" "$work/SHA256SUMS" | head -n 1
}

while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || usage
  case $1 in
    --from) from=${2%/} ;;
    --to) to=$2 ;;
    *) usage ;;
  esac
  shift 2
done
case $from in
  https://* | http://127.0.0.1:* | http://localhost:*) ;;
  http://*) fail "$from is not https" ;;
  *) from=${from#file://} ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fetch SHA256SUMS
archive=$(archive_for)
[ -n "$archive" ] || fail "the release has no archive for $(uname -s) on $(uname -m); build it with: cargo install --locked --git https://github.com/aic-broker/aic-broker aic-broker aic-shim"
fetch "$archive"
wanted=$(sed -n "s/^\([0-9a-f]*\)  $archive\$/\1/p" "$work/SHA256SUMS")
found=$(sum_of "$work/$archive")
[ "$found" = "$wanted" ] ||
  fail "the checksum of $archive is $found and should be $wanted; nothing was installed. Fetch it again, and do not use this file"

mkdir "$work/files"
tar -xzf "$work/$archive" -C "$work/files" --strip-components 2
mkdir -p "$to"
for program in aic-broker aic-mcp; do
  cp "$work/files/$program" "$to/.$program.new"
  chmod 755 "$to/.$program.new"
  mv "$to/.$program.new" "$to/$program"
done
echo "installed in $to: $("$to/aic-broker" --version), $("$to/aic-mcp" --version)"
case :$PATH: in
  *:"$to":*) ;;
  *) echo "$to is not on your PATH: add it, or name the programs by their full path" ;;
esac
echo "next: aic-broker install"
