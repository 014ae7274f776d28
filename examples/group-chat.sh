#!/bin/sh
# The alerts of a scheduler in a group chat of an app, which this script makes itself.
#
#   group-chat.sh failed 'nightly backup' /var/log/backup.log
#   group-chat.sh recovered 'nightly backup'
#
# Takes an app whose visible range is the root department, and jq. Who is on duty is named by mobile numbers in
# WECOM_ONCALL, separated by blanks. The chat is made when it is not there yet, and who is new on the list joins it:
# it is safe to run this any number of times. A step that fails keeps nothing else back. The exit code is that of the
# last send that failed.
set -u

what=${1:-}
job=${2:?usage: group-chat.sh failed|recovered JOB [LOG]}
log=${3:-}
chat=${WECOM_ONCALL_CHAT:-oncall}
state=${XDG_STATE_HOME:-$HOME/.local/state}/group-chat
mkdir -p "$state"
sent=$state/$(printf %s "$job" | cksum | cut -d ' ' -f 1).jsonl

# WeCom knows people by userids. What was looked up is kept for a day: the next time this asks nobody.
members=
for mobile in ${WECOM_ONCALL:?set it to the mobile numbers of who is on duty}; do
    userid=$(wecom-alert get-userid --mobile "$mobile") || continue
    members=${members:+$members,}$userid
done
wecom-alert chat-create --chat "$chat" --name 'On call' --member "$members" --sync \
    --hello 'Failed jobs are told here.' > /dev/null

code=0
case $what in
    failed)
        wecom-alert chat-send --chat "$chat" --mention @all "$job failed" || code=$?
        if [ -n "$log" ]; then
            tail -n 5 "$log" |
                wecom-alert chat-send --chat "$chat" -t markdown --title "$job: the end of its output" || code=$?
        fi
        # A message of the app can be taken back for 24 hours, one in a chat cannot: the log line keeps its msgid.
        if [ -n "$members" ]; then
            wecom-alert --log-file "$sent" app-send -u "$members" "$job failed: look into the chat" || code=$?
        fi
        ;;
    recovered)
        if [ -s "$sent" ]; then
            # Where a message is older than a day, the others are recalled all the same.
            jq -r '.msgids[]' "$sent" | wecom-alert recall -
            rm -f "$sent"
        fi
        wecom-alert chat-send --chat "$chat" "$job has recovered" || code=$?
        ;;
    *)
        echo "usage: ${0##*/} failed|recovered JOB [LOG]" >&2
        exit 2
        ;;
esac
exit "$code"
