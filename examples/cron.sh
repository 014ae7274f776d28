#!/bin/sh
# Run a job from cron and tell WeCom when it fails; when all is well, print nothing at all.
#
#   install -m 755 cron.sh /usr/local/bin/cron-alert
#   crontab:  MAILTO=ops@example.com
#             PATH=/usr/local/bin:/usr/bin:/bin
#             17 3 * * *  cron-alert /usr/local/bin/backup --all
#             3-59/5 * * * *  wecom-alert outbox flush
#
# The exit code is the job's own. Should the alert fail to go out, wecom-alert's error line and the job's output land on
# stderr, so cron mails both to MAILTO. An alert that cannot go out yet waits in the outbox, which a line on stderr says;
# the last line of the crontab sends it. In a crontab a `%` must be written `\%`.
#
# The config file is that of the crontab's owner, ~/.config/wecom-alert/config.toml of that user, for cron sets HOME and
# little else. For root and daemons use /etc/wecom-alert/config.toml, which counts where the user has none. A user whose
# home cannot be written to needs a `state_dir` there for the outbox.
#
# Who gets it is set by the config file, by WECOM_ALERT_* variables, or here:
#   ALERT_VIA      "webhook-send" (default), or "app-send" with recipients from the profile
#   ALERT_NAME     what to call the job; default: COMMAND without its arguments, which may hold passwords
#   ALERT_OPTIONS  of the send, parted by blanks; default: "--outbox --jitter 20s". For instance "--fallback dba:webhook"
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

alert() {
    printf '%s: %s failed, exit code %s\n' "$(uname -n)" "$name" "$code"
    cat "$output"
}

# Retries and pacing are wecom-alert's. Output that is too long becomes head and tail, with the whole as a file.
# Words without blanks: to be split.
sent=0
# shellcheck disable=SC2086
alert | wecom-alert -q "${ALERT_VIA:-webhook-send}" --on-long file ${ALERT_OPTIONS---outbox --jitter 20s} || sent=$?
[ "$sent" -eq 0 ] || cat "$output" >&2
exit "$code"
