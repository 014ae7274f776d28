#!/bin/sh
# Installs the static wecom-alert for this machine: fetches it, compares its SHA-256, and puts it where it is found.
#
#   curl -fsSL https://github.com/OWNER/wecom-alert/releases/latest/download/install.sh | sh
#
#   INSTALL_FROM    folder with the archives and SHA256SUMS, such as a mirror inside a company
#   INSTALL_TO      where it goes; default: /usr/local/bin for root, else ~/.local/bin
#   INSTALL_SHA256  the sum that the archive must have, from a place that you trust. SHA256SUMS comes from where the archive
#                   comes from: it tells a damaged file, not a server that lies.
#
# Run again, it installs the newest. To remove it, delete the file. Only Linux on x86_64 and aarch64 for now.
set -eu

fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

fetch() {
    if command -v curl >/dev/null 2>&1; then
        curl -fsSL --retry 3 --connect-timeout 15 -o "$2" "$1"
    elif command -v wget >/dev/null 2>&1; then
        wget -q -T 15 -O "$2" "$1"
    else
        fail 'needs curl or wget'
    fi || fail "cannot fetch $1"
}

sum() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum "$1"
    elif command -v shasum >/dev/null 2>&1; then
        shasum -a 256 "$1"
    elif command -v openssl >/dev/null 2>&1; then
        openssl dgst -sha256 -r "$1"
    else
        fail 'needs sha256sum, shasum or openssl'
    fi | cut -c 1-64
}

# A function, so that a script that was cut on its way does nothing.
main() {
    from=${INSTALL_FROM:-https://github.com/OWNER/wecom-alert/releases/latest/download}
    [ "$(uname -s)" = Linux ] || fail "there is no program for $(uname -s) yet: build it from source, see the README"
    case $(uname -m) in
        x86_64 | amd64) triple=x86_64-unknown-linux-musl ;;
        aarch64 | arm64) triple=aarch64-unknown-linux-musl ;;
        *) fail "there is no program for $(uname -m) yet: build it from source, see the README" ;;
    esac
    if [ -n "${INSTALL_TO:-}" ]; then
        to=$INSTALL_TO
    elif [ "$(id -u)" = 0 ]; then
        to=/usr/local/bin
    else
        to=${HOME:?}/.local/bin
    fi

    archive=wecom-alert-$triple.tar.gz
    folder=$(mktemp -d)
    new=
    trap 'rm -rf "$folder" ${new:+"$new"}' EXIT
    trap 'exit 1' HUP INT TERM
    fetch "$from/$archive" "$folder/$archive"
    wanted=${INSTALL_SHA256:-}
    if [ -z "$wanted" ]; then
        fetch "$from/SHA256SUMS" "$folder/SHA256SUMS"
        wanted=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$folder/SHA256SUMS")
        [ -n "$wanted" ] || fail "SHA256SUMS does not name $archive"
    fi
    found=$(sum "$folder/$archive")
    [ "$found" = "$wanted" ] || fail "$archive has the SHA-256 $found, and should have $wanted; nothing was installed"

    tar -xzf "$folder/$archive" -C "$folder" wecom-alert || fail "$archive is damaged; nothing was installed"
    mkdir -p "$to" || fail "cannot make $to"
    # Beside the old one and renamed, so that a job that starts meanwhile finds the one or the other.
    new=$to/.wecom-alert.$$
    cp "$folder/wecom-alert" "$new" || fail "cannot write to $to: set INSTALL_TO, or run it as root"
    chmod 755 "$new"
    # There, since programs in /tmp may not be allowed to run.
    version=$("$new" --version) || fail 'the program does not run here; nothing was installed'
    mv -f "$new" "$to/wecom-alert"
    new=
    printf '%s: %s\n' "$to/wecom-alert" "$version"
    case :${PATH:-}: in
        *":$to:"*) ;;
        *) printf '%s is not in your PATH; cron needs a PATH line with it too.\n' "$to" ;;
    esac
}
main
