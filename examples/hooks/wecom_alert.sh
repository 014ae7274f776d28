#!/usr/bin/env sh
# Notify hook of acme.sh: what became of a renewal.
#
#   cp wecom_alert.sh ~/.acme.sh/notify/
#   acme.sh --set-notify --notify-hook wecom_alert          # sends a test
#
# Settings are those of the user who runs acme.sh, or of /etc/wecom-alert/config.toml. acme.sh runs from cron with a short
# PATH: the program has to be in /usr/bin or /usr/local/bin. What cannot go out at once waits in the outbox for
# `wecom-alert outbox flush` in the same crontab.

# subject content statusCode
wecom_alert_send() {
  _subject="$1"
  _content="$2"
  # 0: renewed, 2: skipped, others: failed
  case "$3" in
    0) _level=ok ;;
    2) _level=info ;;
    *) _level=critical ;;
  esac
  # A line break may come as the two characters \n.
  printf '%b\n' "$_content" |
    PATH="$PATH:/usr/local/bin" wecom-alert --quiet webhook-send --title "$_subject" --level "$_level" --outbox
}
