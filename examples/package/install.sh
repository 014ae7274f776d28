#!/bin/sh
# Installs the static wecom-alert for this machine: fetches it, compares its SHA-256, and puts it where it is found.
#
#   curl -fsSL https://github.com/OWNER/wecom-alert/releases/latest/download/install.sh | sh
#
#   INSTALL_FROM    URL or folder with the archives and SHA256SUMS, such as a mirror inside a company
#   INSTALL_TO      where it goes; default: /usr/local/bin for root, else ~/.local/bin
#   INSTALL_SHA256  the sum that the archive must have, from a place that you trust. SHA256SUMS comes from where the archive
#                   comes from: it tells a damaged file, not a server that lies.
#
# Run again, it installs the newest. To remove it, delete the file. Only Linux on x86_64 and aarch64 for now.
set -eu

fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

# A server that sends nothing for half a minute is given up.
fetch() {
    case $1 in
        file://*) cp "${1#file://}" "$2" ;;
        *://*)
            if command -v curl >/dev/null 2>&1; then
                curl -fsSL --retry 3 --connect-timeout 15 --speed-limit 1 --speed-time 30 -o "$2" "$1"
            elif command -v wget >/dev/null 2>&1; then
                wget -q -T 30 -t 3 -O "$2" "$1"
            else
                fail 'needs curl or wget'
            fi
            ;;
        *) cp "$1" "$2" ;;
    esac || fail "cannot fetch $1: INSTALL_FROM names another place, such as a mirror"
}

sum() {
    case $sum_tool in
        sha256sum) sha256sum "$1" ;;
        shasum) shasum -a 256 "$1" ;;
        openssl) openssl dgst -sha256 -r "$1" ;;
    esac | cut -c 1-64
}

# A function, so that a script that was cut on its way does nothing.
main() {
    from=${INSTALL_FROM:-https://github.com/OWNER/wecom-alert/releases/latest/download}
    from=${from%/}
    [ "$(uname -s)" = Linux ] || fail "there is no program for $(uname -s) yet: build it from source, see the README"
    case $(uname -m) in
        x86_64 | amd64) triple=x86_64-unknown-linux-musl ;;
        aarch64 | arm64) triple=aarch64-unknown-linux-musl ;;
        *) fail "there is no program for $(uname -m) yet: build it from source, see the README" ;;
    esac
    sum_tool=
    for tool in sha256sum shasum openssl; do
        if [ -z "$sum_tool" ] && command -v "$tool" >/dev/null 2>&1; then sum_tool=$tool; fi
    done
    [ -n "$sum_tool" ] || fail 'needs sha256sum, shasum or openssl, to compare the sum of what it fetches'
    command -v tar >/dev/null 2>&1 || fail 'needs tar'
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
    wanted=$(printf '%s' "${INSTALL_SHA256:-}" | tr A-F a-f)
    wanted=${wanted#sha256:}
    wrong='INSTALL_SHA256 is of another version or of another archive'
    if [ -z "$wanted" ]; then
        wrong="$from has files of two versions or damaged ones"
        fetch "$from/SHA256SUMS" "$folder/SHA256SUMS"
        wanted=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$folder/SHA256SUMS")
        [ -n "$wanted" ] || fail "SHA256SUMS does not name $archive"
    fi
    found=$(sum "$folder/$archive")
    [ "$found" = "$wanted" ] || fail "$archive has the SHA-256 $found, and should have $wanted; nothing was installed.
Run it again, since the download may be damaged. If the sum stays the same, $wrong."

    if ! tar -xzf "$folder/$archive" -C "$folder" wecom-alert; then
        command -v gzip >/dev/null 2>&1 || fail 'needs gzip, which tar unpacks with; nothing was installed'
        fail "cannot unpack $archive; nothing was installed"
    fi
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
