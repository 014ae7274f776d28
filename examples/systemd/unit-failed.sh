#!/bin/sh
# Called by wecom-alert@.service with the name of the unit that failed. Sends its last log lines; what cannot go out now
# waits in the outbox for wecom-alert-flush.timer.
#
#   install -D -m 755 unit-failed.sh /usr/local/libexec/wecom-alert/unit-failed.sh
#
# The exit code is wecom-alert's: `systemctl --failed` shows an alert that could not be sent.
set -eu

[ "$#" -eq 1 ] || { echo "usage: ${0##*/} UNIT" >&2; exit 2; }
unit=$1

# systemd 250 and later say why; others leave these variables unset.
describe() {
    printf '%s: %s failed%s\n' "$(uname -n)" "$unit" \
        "${MONITOR_SERVICE_RESULT:+ ($MONITOR_SERVICE_RESULT ${MONITOR_EXIT_STATUS:-})}"
    journalctl --unit="$unit" --lines=50 --output=cat --no-pager 2>/dev/null || true
}

# Lines that are too long for one message become head and tail, with all of them as a file. A unit that fails again and
# again is told once in ten minutes, and then how often it failed meanwhile.
describe | wecom-alert webhook-send --outbox --on-long file --cooldown 10m --cooldown-key "$unit"
