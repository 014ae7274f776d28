#!/bin/sh
# What an alert looks like before and after moving from a hand-written `curl -d` line. Sends nothing, needs no key.
#
#   sh examples/curl-migration.sh                 # a message with quotes, a backslash and a line break
#   sh examples/curl-migration.sh "$(tail -n 3 /var/log/syslog)"
#
# before:  curl -s "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=$KEY" \
#               -d "{\"msgtype\":\"text\",\"text\":{\"content\":\"$MSG\"}}"
#          - a quote, a backslash or a line break in $MSG breaks the JSON, or ends the message there;
#          - exit 0 although WeCom refused: it says so in the body of an HTTP 200;
#          - the key is on the command line, where every user of the machine can read it.
# after:   printf '%s' "$MSG" | wecom-alert webhook-send          # the key is in the config file or in WECOM_ALERT_WEBHOOK
set -eu

sample='disk "/" is 98 % full on C:\data
clean up, or extend the volume'
message=${1-$sample}

# The installed program, else one that was built here.
built=$(dirname "$0")/../target
program=$(command -v wecom-alert || command -v "$built/release/wecom-alert" || command -v "$built/debug/wecom-alert") || {
    echo 'wecom-alert is neither in PATH nor built here: cargo build --release' >&2
    exit 1
}

echo '--- before: the body that curl would send, checked as a payload'
printf '{"msgtype":"text","text":{"content":"%s"}}\n' "$message"
if printf '{"msgtype":"text","text":{"content":"%s"}}' "$message" |
    "$program" webhook-send --payload - --dry-run >/dev/null; then
    echo 'this one is well-formed: the message has nothing in it that breaks JSON'
fi

echo '--- after: the body that wecom-alert sends'
printf '%s' "$message" | "$program" webhook-send --dry-run
