#!/bin/sh
# Runs a command from cron, and asks whether to run it again when it fails: cron.sh NAME COMMAND…
#   15 3 * * *  /usr/local/bin/cron.sh backup /usr/local/bin/backup.sh
# Whoever is asked has an hour; without an answer it is not run again.
set -eu
name=${1:?say what it is called}
shift
: "${1:?give the command}"
while
    code=0
    "$@" || code=$?
    [ "$code" -ne 0 ]
do
    wecom-alert ask --title "$name failed on $(hostname)" --level critical --field "exit code=$code" --wait 1h \
        --button again='Run again' --button leave='Leave it' --decline leave > /dev/null || exit "$code"
done
