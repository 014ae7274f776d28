#!/bin/sh
# Run a job from cron and tell WeCom when it fails; when all is well, print nothing at all.
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
# The config file is that of the crontab's owner, ~/.config/wecom-alert/config.toml of that user, for cron sets HOME and
# little else. For root and daemons use /etc/wecom-alert/config.toml, which counts where the user has none.
#
# Who gets it is set by the config file, by WECOM_ALERT_* variables, or here:
#   ALERT_VIA     "webhook-send" (default), or "app-send" with recipients from the profile
#   ALERT_NAME    what to call the job; default: COMMAND without its arguments, which may hold passwords
#   ALERT_PAUSES  seconds before each further attempt on exit 7 (temporary) and 8 (rate limit); default: "10 60"
set -eu

[ "$#" -gt 0 ] || { echo "usage: ${0##*/} COMMAND [ARGUMENT]..." >&2; exit 2; }

name=${ALERT_NAME:-$1}
work=$(mktemp -d)
output=$work/output
told=$work/told
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

code=0
"$@" >"$output" 2>&1 || code=$?
[ "$code" -ne 0 ] || exit 0

# Takes away the piece of a UTF-8 character that a cut may leave at the start. The line break in front of the input is
# what goes if nothing was cut: then the first line stays as it is.
whole_start() {
    LC_ALL=C awk 'NR > 1; NR == 1 && $0 != "" { sub(/^[\200-\277]+/, ""); print }'
}

# A text takes 2048 bytes. 1200 bytes of GBK become 1800 of UTF-8, which leaves room for the first line.
alert() {
    printf '%.120s: %.200s failed, exit code %s\n' "$(uname -n)" "$name" "$code"
    { echo; tail -n 20 "$output"; } | tail -c 1200 | whole_start
}

# What wecom-alert says about an attempt that is made again is not kept.
for pause in 0 ${ALERT_PAUSES-10 60}; do
    sleep "$pause"
    sent=0
    alert | wecom-alert -q "${ALERT_VIA:-webhook-send}" 2>"$told" || sent=$?
    case $sent in 7 | 8) ;; *) break ;; esac
done
cat "$told" >&2
[ "$sent" -eq 0 ] || cat "$output" >&2
exit "$code"
