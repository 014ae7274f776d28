#!/bin/sh
# Notification command for Nagios (and Icinga), for hosts and services alike.
#
#   install -m 755 nagios-notify.sh /usr/local/bin/
#   nagios.cfg:    enable_environment_macros=1
#   commands.cfg:  define command {
#                      command_name  notify-by-wecom
#                      command_line  /usr/local/bin/nagios-notify.sh
#                  }
#   contact:       pager  zhangsan        a member of the app; several are separated by | or ,
#                  pager  webhook         the webhook of the default profile
#                  pager  webhook:room    the webhook of profile "room"
#
# The text comes from the environment and not from the command line, so no quote in a plugin's output can break it.
# Icinga 2: a NotificationCommand with command = [ "/usr/local/bin/nagios-notify.sh" ] and the variables below in `env`.
#
# Nagios ends a notification after 30 s (notification_timeout), Icinga 2 after 60 s (timeout): the deadline lies below
# both. They do not try again, so what cannot go out now is kept in the outbox. That takes, in /etc/wecom-alert/config.toml,
# a `state_dir` that the monitoring's user owns, and in its crontab
#   3-59/5 * * * *  /usr/local/bin/wecom-alert outbox flush
# With `fallback = "room:webhook"` in the profile, an app that refuses does not end the alert. The exit code is
# wecom-alert's and ends up in the monitoring's log.
set -eu

PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin
export PATH

case ${NAGIOS_CONTACTPAGER:-} in
    '')
        echo "${0##*/}: the contact has no pager, or enable_environment_macros=1 is missing in nagios.cfg" >&2
        exit 2
        ;;
    webhook) set -- webhook-send ;;
    webhook:*) set -- webhook-send --profile "${NAGIOS_CONTACTPAGER#webhook:}" ;;
    *) set -- app-send --to-user "$NAGIOS_CONTACTPAGER" ;;
esac

# Nagios writes the line breaks of long output as the two characters \n. awk takes variables from the environment as data.
describe() {
    awk 'function of(name) { return ENVIRON["NAGIOS_" name] }
    BEGIN {
        kind = of("SERVICEDESC") == "" ? "HOST" : "SERVICE"
        service = kind == "HOST" ? "" : " / " of("SERVICEDESC")
        more = of("LONG" kind "OUTPUT")
        gsub(/\\n/, "\n", more)
        printf "%s: %s%s is %s\n", of("NOTIFICATIONTYPE"), of("HOSTNAME"), service, of(kind "STATE")
        print of(kind "OUTPUT")
        if (more != "")
            print more
        if (of("NOTIFICATIONCOMMENT") != "")
            printf "%s: %s\n", of("NOTIFICATIONAUTHOR"), of("NOTIFICATIONCOMMENT")
    }'
}

# One message per alert: the beginning says what matters, and how much of a long output is left out.
describe | wecom-alert -q --deadline 25s "$@" --outbox --on-long truncate --keep head
