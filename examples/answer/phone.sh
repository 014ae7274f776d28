#!/bin/sh
# Asks, and has another program call somebody where nobody answers or nobody could be reached: phone.sh TITLE COMMAND…
#   phone.sh 'disk full on web-3' /usr/local/bin/call-on-duty.sh +8613800000000
# Exit codes 0 and 11 are answers; everything else is none.
set -eu
title=${1:?say what happened}
shift
: "${1:?give the command that calls}"
code=0
wecom-alert ask --title "$title" --level critical --wait 10m --remind 3m \
    --button ack='I take it' --button false='False alarm' || code=$?
case $code in
    0 | 11) exit 0 ;;
    130 | 143) exit "$code" ;;
    *) exec "$@" ;;
esac
