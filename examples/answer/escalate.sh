#!/bin/sh
# An alert that goes from the person on duty to the lead after 5 minutes, and to the room after 15, until somebody has
# taken it: escalate.sh TITLE [TEXT]
# The profiles: duty (an aibot with aibot_user), lead (the same with another aibot_user), room (a webhook). Who took it is
# told to the room. When the monitor sees the recovery, it takes the question back from the others with
#   wecom-alert answer -P duty "$TITLE" recovered --note 'the disk is free again'
set -eu
title=${1:?say what happened}
wecom-alert ask --profile duty --id "$title" --title "$title" --level critical --remind 2m \
    --escalate lead@5m --escalate room@15m --tell room -- "${2:-$title}"
