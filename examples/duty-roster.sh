#!/bin/sh
# Prints who is on duty, for the setting to_user_command: from the last line of a roster whose date is not after today.
# The roster has a line for each change, in order, the userids separated by commas or blanks:
#   2026-12-07 zhangsan,lisi
# In the config file:
#   to_user_command = ["/etc/wecom-alert/duty-roster.sh", "/etc/wecom-alert/roster"]
set -eu
roster=${1:?give the file of the roster}
awk -v today="$(date +%Y-%m-%d)" '
    /^[0-9]/ && $1 <= today { $1 = ""; on_duty = $0 }
    END { if (on_duty == "") exit 1; print on_duty }
' "$roster"
