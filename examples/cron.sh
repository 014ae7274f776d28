#!/bin/sh
# Run a job from cron and tell WeCom when it fails; when all is well, say nothing at all.
#
#   install -m 755 cron.sh /usr/local/bin/cron-alert
#   crontab:  MAILTO=ops@example.com
#             PATH=/usr/local/bin:/usr/bin:/bin
#             17 3 * * *  cron-alert /usr/local/bin/backup --all
#
# The exit code is the job's own. Should the alert itself fail to go out, wecom-alert's error line and the job's output
# land on stderr, so cron mails both to MAILTO. In a crontab a `%` must be written `\%`; minutes 0 and 30 are WeCom's
# busiest, so choose another.
#
# Who gets it is set by the config file, by WECOM_ALERT_* variables, or here:
#   ALERT_VIA   "webhook-send" (default), or "app-send" with recipients from the profile
#   ALERT_NAME  what to call the job; default: COMMAND without its arguments, which may hold passwords
set -eu

[ "$#" -gt 0 ] || { echo "usage: ${0##*/} COMMAND [ARGUMENT]..." >&2; exit 2; }

name=${ALERT_NAME:-$1}
output=$(mktemp)
trap 'rm -f "$output"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

code=0
"$@" >"$output" 2>&1 || code=$?
[ "$code" -ne 0 ] || exit 0

# A text takes 2048 bytes. 1200 bytes of GBK become 1800 of UTF-8, which leaves room for the first line.
alert() {
    printf '%.120s: %.200s failed, exit code %s\n' "$(uname -n)" "$name" "$code"
    tail -n 20 "$output" | tail -c 1200
}

if ! alert | wecom-alert -q "${ALERT_VIA:-webhook-send}"; then
    cat "$output" >&2
fi
exit "$code"
