#!/bin/sh
# Tests what build.sh made: runs each product where little else is, and sends through it to the sandbox on loopback.
#
#   sh test.sh [PART…]
#
#   symbols   the glibc program needs glibc 2.17 at most, the static ones need nothing
#   empty     the static program in a folder with a config file and nothing else; the one for ARM under qemu-aarch64-static
#   old       the glibc program in the oldest system that debootstrap gets, or in the folder OLD_ROOT
#   debian    .deb in a fresh Debian: lintian, install, send, upgrade, remove, purge
#   rpm       .rpm with an empty database of rpm: rpmlint, install, send, upgrade, remove
#   wheel     pip install from the file, in a fresh virtual environment
#   image     the image, started by buildah
# Without a PART: all of them. A part whose tool or product is missing is left out, and the last lines say so.
#
# Needs root for chroot, the network for debootstrap, and the sandbox: cargo build --example sandbox
#
#   OUT               where build.sh put the results; default: target/dist
#   SANDBOX           default: target/debug/examples/sandbox
#   DEBIAN_ROOT       folder with a fresh Debian that may be changed; default: a new one by debootstrap
#   OLD_ROOT          folder with an old system; default: a new Ubuntu 16.04 (glibc 2.23) by debootstrap
set -eu
umask 022

top=$(cd "$(dirname "$0")/../.." && pwd)
out=${OUT:-$top/target/dist}
sandbox=${SANDBOX:-$top/target/debug/examples/sandbox}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$top/Cargo.toml" | head -n 1)
[ "$#" -gt 0 ] || set -- symbols empty old debian rpm wheel image

say() { printf '%s\n' "$*"; }
fail() { printf 'test.sh: %s\n' "$*" >&2; exit 1; }
left_out=
leave_out() { left_out="$left_out
left out: $*"; }
has() { command -v "$1" >/dev/null 2>&1; }

work=$(mktemp -d)
sandbox_pid=
clean_up() {
    [ -z "$sandbox_pid" ] || kill "$sandbox_pid" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# --- the sandbox, over TLS with an authority of its own ---

[ -x "$sandbox" ] || fail "no sandbox: cargo build --example sandbox"
: > "$work/arrived"
"$sandbox" --quiet --write-ca "$work/ca.pem" > "$work/arrived" 2>&1 &
sandbox_pid=$!
tries=0
until grep -q TO_USER "$work/arrived"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 100 ]; then fail "the sandbox does not start: $(cat "$work/arrived")"; fi
    sleep 0.1
done
variable() { sed -n "s/^export WECOM_ALERT_$1=//p" "$work/arrived" | tr -d "'"; }
{
    say "base_url = \"$(variable BASE_URL)\""
    say 'ca_file = "ca.pem"'
    say '[profiles.main]'
    say "webhook = \"$(variable WEBHOOK)\""
} > "$work/config.toml"

# settle FOLDER: the sandbox's config file for a root folder.
settle() {
    mkdir -p "$1/etc/wecom-alert"
    cp "$work/ca.pem" "$1/etc/wecom-alert/ca.pem"
    # Over one that is there, so that it keeps owner and mode.
    (umask 077 && cat "$work/config.toml" > "$1/etc/wecom-alert/config.toml")
}

# sends WHAT COMMAND…: the command with a text of its own at the end; it has to arrive.
count=0
sends() {
    count=$((count + 1))
    what=$1
    shift
    text="number $count from $what"
    env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$@" "$text" 2> "$work/said" ||
        fail "$what: exit $?, $(cat "$work/said")"
    if grep -q '^wecom-alert: ' "$work/said"; then fail "$what: $(cat "$work/said")"; fi
    grep -qF "$text" "$work/arrived" || fail "$what: did not arrive"
    say "sent: $what"
}

# unpack NAME FOLDER: the program of an archive.
unpack() {
    mkdir -p "$2"
    tar -xzf "$out/wecom-alert-$1.tar.gz" -C "$2" wecom-alert
}

# --- parts ---

part_symbols() {
    has readelf || { leave_out 'symbols: readelf is missing'; return; }
    for triple in x86_64-unknown-linux-gnu x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do
        if [ ! -f "$out/wecom-alert-$triple.tar.gz" ]; then
            leave_out "symbols: no $triple"
            continue
        fi
        unpack "$triple" "$work/symbols"
        newest=$(readelf --version-info --wide "$work/symbols/wecom-alert" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
        linked=$(readelf --program-headers --dynamic --wide "$work/symbols/wecom-alert" | grep -E 'INTERP|NEEDED' || true)
        case $triple in
            *-gnu)
                [ -n "$newest" ] || fail "$triple: no versions of symbols"
                [ "$(printf '%s\nGLIBC_2.17\n' "$newest" | sort -V | tail -n 1)" = GLIBC_2.17 ] || fail "$triple: $newest"
                say "$triple: needs $newest"
                ;;
            *)
                [ -z "$newest$linked" ] || fail "$triple is not static: $newest $linked"
                say "$triple: static"
                ;;
        esac
    done
}

part_empty() {
    for cpu in x86_64 aarch64; do
        triple=$cpu-unknown-linux-musl
        run=
        if [ ! -f "$out/wecom-alert-$triple.tar.gz" ]; then
            leave_out "empty: no $triple"
            continue
        elif [ "$cpu" != "$(uname -m)" ]; then
            has "qemu-$cpu-static" || { leave_out "empty: qemu-$cpu-static is missing"; continue; }
            run=/qemu
        fi
        root=$work/empty-$cpu
        unpack "$triple" "$root"
        [ -z "$run" ] || cp "$(command -v "qemu-$cpu-static")" "$root/qemu"
        settle "$root"
        # No home, no /tmp, no /dev, no /proc, no certificates.
        # shellcheck disable=SC2086
        sends "$cpu in an empty root" chroot "$root" $run /wecom-alert webhook-send
        # The kernel starts no program for another processor.
        [ -n "$run" ] || sends "$cpu in an empty root, run" \
            chroot "$root" /wecom-alert run --on always -- /wecom-alert --version --
    done
}

# root_of RELEASE MIRROR FOLDER [OPTION…]
root_of() {
    has debootstrap || return 1
    release=$1 mirror=$2 folder=$3
    shift 3
    debootstrap --variant=minbase "$@" "$release" "$folder" "$mirror" > "$work/debootstrap.log" 2>&1
}

part_old() {
    [ -f "$out/wecom-alert-x86_64-unknown-linux-gnu.tar.gz" ] || { leave_out 'old: no x86_64-unknown-linux-gnu'; return; }
    root=${OLD_ROOT:-$work/old}
    # Its keys are in no package of Debian: this is a test's throw-away folder.
    [ -d "$root" ] || root_of xenial http://archive.ubuntu.com/ubuntu "$root" --no-check-gpg ||
        { leave_out 'old: debootstrap gets no Ubuntu 16.04'; return; }
    unpack x86_64-unknown-linux-gnu "$root/opt/wecom-alert"
    settle "$root"
    sends "glibc program with $(chroot "$root" ldd --version | head -n 1)" chroot "$root" /opt/wecom-alert/wecom-alert webhook-send
}

# The package of the next version, made of this one: what an upgrade is tried with.
next=9.9.9

part_debian() {
    deb=$out/wecom-alert_$version-1_amd64.deb
    [ -f "$deb" ] || { leave_out 'debian: no .deb'; return; }
    if has lintian; then lintian --fail-on error,warning --allow-root "$deb"; else leave_out 'debian: lintian is missing'; fi
    root=${DEBIAN_ROOT:-$work/debian}
    [ -d "$root" ] || root_of bookworm http://deb.debian.org/debian "$root" ||
        { leave_out 'debian: debootstrap gets no Debian'; return; }
    in_root() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
    mode() { in_root stat -c '%a %U %G' "$1"; }

    begin=$(date +%s)
    cp "$deb" "$root/new.deb"
    in_root dpkg -i /new.deb
    [ "$(mode /etc/wecom-alert/config.toml)" = '640 root wecom-alert' ] || fail "$(mode /etc/wecom-alert/config.toml)"
    [ "$(mode /var/lib/wecom-alert)" = '2770 wecom-alert wecom-alert' ] || fail "$(mode /var/lib/wecom-alert)"
    [ "$(mode /run/wecom-alert)" = '2770 wecom-alert wecom-alert' ] || fail "$(mode /run/wecom-alert)"
    # The file as it comes says nothing, and is fine.
    in_root wecom-alert --dry-run webhook-send hello >/dev/null
    # Once more by hand, as its own comments say.
    cp "$work/ca.pem" "$root/etc/wecom-alert/ca.pem"
    address="$(variable BASE_URL)/cgi-bin/webhook/send?key=$(variable WEBHOOK)"
    sed -i -e '1i ca_file = "ca.pem"' -e 's/^#\[profiles.main\]/[profiles.main]/' -e "s|^#webhook = .*|webhook = \"$address\"|" \
        "$root/etc/wecom-alert/config.toml"
    sends 'Debian, root' chroot "$root" wecom-alert webhook-send
    say "from dpkg -i to the first alert: $(($(date +%s) - begin)) s"
    in_root useradd --groups wecom-alert member
    sends 'Debian, a member of the group' chroot "$root" setpriv --reuid member --regid member --init-groups wecom-alert webhook-send --outbox
    sends 'Debian, the user of the units' chroot "$root" setpriv --reuid wecom-alert --regid wecom-alert --init-groups wecom-alert webhook-send --outbox
    # What a member could not send, the timer's user sends.
    in_root setpriv --reuid member --regid member --init-groups \
        wecom-alert --proxy http://127.0.0.1:9 --deadline 1s webhook-send --outbox 'waited for the timer' 2>/dev/null
    if grep -q 'waited for the timer' "$work/arrived"; then fail 'sent through a proxy that is not there'; fi
    in_root setpriv --reuid wecom-alert --regid wecom-alert --init-groups \
        env WECOM_ALERT_STATE_DIR=/var/lib/wecom-alert wecom-alert outbox flush 2> "$work/said" || fail "flush: $(cat "$work/said")"
    grep -q 'waited for the timer' "$work/arrived" || fail "the timer's user does not send what waits: $(cat "$work/said")"
    status=0
    in_root wecom-alert config init --config /etc/wecom-alert/config.toml < /dev/null 2> "$work/said" || status=$?
    [ "$status" = 3 ] || fail "config init over the config file: exit $status"
    grep -q 'with an editor' "$work/said" || fail "config init says: $(cat "$work/said")"
    status=0
    in_root setpriv --reuid nobody --regid nogroup --clear-groups wecom-alert webhook-send hello 2> "$work/said" || status=$?
    [ "$status" = 3 ] || fail "a stranger: exit $status, $(cat "$work/said")"
    grep -q 'usermod -aG wecom-alert' "$work/said" || fail "a stranger is told: $(cat "$work/said")"
    if [ -x "$root/usr/bin/man" ]; then in_root man -w wecom-alert wecom-alert-run >/dev/null; fi
    in_root bash -n /usr/share/bash-completion/completions/wecom-alert

    # An upgrade keeps the settings, also where the new package brings other ones.
    cp -p "$root/etc/wecom-alert/config.toml" "$work/edited"
    dpkg-deb -R "$deb" "$work/deb"
    sed -i "s/^Version: .*/Version: $next-1/" "$work/deb/DEBIAN/control"
    say '# new' >> "$work/deb/etc/wecom-alert/config.toml"
    dpkg-deb --root-owner-group -b "$work/deb" "$root/next.deb" >/dev/null
    in_root dpkg --force-confold -i /next.deb
    cmp "$work/edited" "$root/etc/wecom-alert/config.toml" || fail 'the upgrade changed the settings'
    [ -e "$root/etc/wecom-alert/config.toml.dpkg-dist" ] || fail 'the upgrade hides the new settings'
    [ "$(mode /etc/wecom-alert/config.toml)" = '640 root wecom-alert' ] || fail 'the upgrade changed the config file'
    sends 'Debian, after the upgrade' chroot "$root" wecom-alert webhook-send

    in_root dpkg -r wecom-alert
    [ ! -e "$root/usr/bin/wecom-alert" ] || fail 'removed too little'
    [ -e "$root/etc/wecom-alert/config.toml" ] || fail 'removed the settings'
    [ -d "$root/var/lib/wecom-alert" ] || fail 'removed what waits'
    # dpkg purges settings, not what others put beside them.
    rm "$root/etc/wecom-alert/ca.pem"
    in_root dpkg -P wecom-alert
    for path in /etc/wecom-alert /var/lib/wecom-alert /run/wecom-alert; do
        [ ! -e "$root$path" ] || fail "purged, and left $path"
    done
    say 'Debian: installed, sent, upgraded, removed, purged'
}

part_rpm() {
    rpm=$out/wecom-alert-$version-1.x86_64.rpm
    [ -f "$rpm" ] || { leave_out 'rpm: no .rpm'; return; }
    has rpm || { leave_out 'rpm: rpm is missing'; return; }
    if has rpmlint; then rpmlint -c "$top/examples/package/rpmlint.toml" "$rpm"; else leave_out 'rpm: rpmlint is missing'; fi
    root=${RPM_ROOT:-$work/rpm}
    [ -d "$root" ] || root_of bookworm http://deb.debian.org/debian "$root" ||
        { leave_out 'rpm: debootstrap gets no userland'; return; }
    # What its scripts run is required, so that it comes first where a whole system is installed at once.
    for path in /bin/sh /usr/bin/getent /usr/sbin/groupadd /usr/sbin/useradd; do
        rpm -qp --requires "$rpm" 2>/dev/null | grep -qx "$path" || fail "the .rpm does not require $path"
    done
    # The userland has no packages of rpm's: nothing but the dependencies is left out.
    rpms() { rpm --root "$root" --dbpath /var/lib/rpm --nodeps "$@" 2> "$work/said" || fail "rpm $*: $(cat "$work/said")"; }
    mkdir -p "$root/var/lib/rpm"
    begin=$(date +%s)
    rpms -i "$rpm"
    rpms -V wecom-alert
    settle "$root"
    sends 'rpm' chroot "$root" wecom-alert webhook-send
    say "from rpm -i to the first alert: $(($(date +%s) - begin)) s"
    # The same again is what an upgrade does: the settings stay.
    rpms -U --replacepkgs "$rpm"
    sends 'rpm, after the upgrade' chroot "$root" wecom-alert webhook-send
    rpms -e wecom-alert
    [ ! -e "$root/usr/bin/wecom-alert" ] || fail 'removed too little'
    [ -e "$root/etc/wecom-alert/config.toml.rpmsave" ] || fail 'removed the settings'
    say 'rpm: installed, sent, upgraded, removed'
}

part_wheel() {
    wheel=$(find "$out" -name "wecom_alert-$version-*_$(uname -m).whl")
    [ -n "$wheel" ] || { leave_out 'wheel: none'; return; }
    has python3 || { leave_out 'wheel: python3 is missing'; return; }
    begin=$(date +%s)
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --no-index "$wheel"
    settle "$work/wheel"
    sends 'wheel' "$work/venv/bin/wecom-alert" --config "$work/wheel/etc/wecom-alert/config.toml" webhook-send
    say "from pip install to the first alert: $(($(date +%s) - begin)) s"
}

part_image() {
    archive=$out/wecom-alert-$version-$(uname -m)-oci.tar
    [ -f "$archive" ] || { leave_out 'image: none'; return; }
    has buildah || { leave_out 'image: buildah is missing'; return; }
    in_store() { buildah --storage-driver vfs --root "$work/storage" --runroot "$work/runroot" "$@"; }
    container=$(in_store from "oci-archive:$archive")
    settle "$work/image"
    # Its user.
    chown -R 65532:65532 "$work/image/etc/wecom-alert"
    sends 'image' buildah --storage-driver vfs --root "$work/storage" --runroot "$work/runroot" run --isolation chroot -v "$work/image/etc/wecom-alert:/etc/wecom-alert:ro" "$container" -- \
        wecom-alert webhook-send
    in_store rm "$container" >/dev/null
}

for part do
    case $part in
        symbols | empty | old | debian | rpm | wheel | image) say "== $part"; "part_$part" ;;
        *) fail "no such part: $part" ;;
    esac
done
say "$left_out"
