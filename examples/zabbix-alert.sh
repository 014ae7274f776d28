#!/bin/sh
# Zabbix media type of type "Script": one alert to members of an app, or to the group of a webhook.
#
#   install -m 755 zabbix-alert.sh /usr/lib/zabbix/alertscripts/       # AlertScriptsPath of zabbix_server.conf
#   Alerts -> Media types -> Create: Script, zabbix-alert.sh, three parameters:
#       {ALERT.SENDTO}   {ALERT.SUBJECT}   {ALERT.MESSAGE}
#   "Send to" of a user's media:  zhangsan         a member; several are separated by | or ,
#                                 webhook          the webhook of the default profile
#                                 webhook:room     the webhook of profile "room"
#
# Settings come from /etc/wecom-alert/config.toml: let the group zabbix read it, and give it a `cache_dir` and a
# `state_dir` that the user zabbix owns, since that user often has no home folder and the environment may be empty.
#
# Zabbix ends a script after 40 s, so the deadline lies below that. What cannot go out now is kept in the outbox and counts
# as sent for Zabbix; the crontab of the user zabbix sends it later:
#   3-59/5 * * * *  /usr/local/bin/wecom-alert outbox flush
# Every exit code but 0 counts as failed: Zabbix shows stderr and tries again (three attempts by default).
# --duplicate-check keeps a repeated app message from arriving twice; a webhook has no such guard, so an alert whose
# answer got lost may come twice.
set -eu

[ "$#" -eq 3 ] || { echo "usage: ${0##*/} SENDTO SUBJECT MESSAGE" >&2; exit 2; }
PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin
export PATH

to=$1
case $to in
    webhook) set -- webhook-send "$2" "$3" ;;
    webhook:*) set -- webhook-send "$2" "$3" --profile "${to#webhook:}" ;;
    *) set -- app-send "$2" "$3" --to-user "$to" --duplicate-check 5m ;;
esac
command=$1 subject=$2 message=$3
shift 3

# One message per alert: the beginning says what matters, and how much of a long text is left out.
printf '%s\n%s\n' "$subject" "$message" |
    wecom-alert -q --deadline 30s "$command" --outbox --on-long truncate --keep head "$@"
