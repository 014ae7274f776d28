#!/bin/sh
# Called by wecom-alert@.service with the name of the unit that failed. Sends its last log lines.
#
#   install -D -m 755 unit-failed.sh /usr/local/libexec/wecom-alert/unit-failed.sh
#
# The exit code is wecom-alert's: `systemctl --failed` shows an alert that could not be sent.
set -eu

[ "$#" -eq 1 ] || { echo "usage: ${0##*/} UNIT" >&2; exit 2; }
unit=$1

# Takes away the piece of a UTF-8 character that a cut may leave at the start. The line break in front of the input is
# what goes if nothing was cut: then the first line stays as it is.
whole_start() {
    LC_ALL=C awk 'NR > 1; NR == 1 && $0 != "" { sub(/^[\200-\277]+/, ""); print }'
}

# systemd 250 and later say why; others leave these variables unset. A text takes 2048 bytes, and bytes that are not
# UTF-8 grow: 1200 of them leave room for that and for the first line.
describe() {
    printf '%.120s: %.200s failed%s\n' "$(uname -n)" "$unit" \
        "${MONITOR_SERVICE_RESULT:+ ($MONITOR_SERVICE_RESULT ${MONITOR_EXIT_STATUS:-})}"
    { echo; journalctl --unit="$unit" --lines=15 --output=cat --no-pager 2>/dev/null; } | tail -c 1200 | whole_start
}

describe | wecom-alert webhook-send
