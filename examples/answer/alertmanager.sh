#!/bin/sh
# Alerts of Prometheus Alertmanager as cards of an app, with buttons that work: acknowledge, mute for a time, close, refresh.
#
#   alertmanager.sh notify < NOTIFICATION    sends a card for a notification of its webhook; when the alerts are resolved,
#                                            the same card says so
#   wecom-alert listen -- alertmanager.sh    does what is pressed, in Alertmanager, and tells it on the card
#
# Both use one state folder. Needs jq and curl. ALERTMANAGER is its address, default http://127.0.0.1:9093. Alertmanager
# has no acknowledgement of its own: here it is a silence of ACKNOWLEDGED, default 4h. What is closed fires again if
# Prometheus still finds it.
set -eu
url=${ALERTMANAGER:-http://127.0.0.1:9093}/api/v2
open=${STATE_DIRECTORY:-${XDG_STATE_HOME:-$HOME/.local/state}}/alertmanager-cards

# Sends a card for the notification $1. The ids of its cards are kept by group, for the end.
send() {
    group=$(group_of "$1")
    id=am-$group-$(date +%s)-$$
    mkdir -p "$open"
    echo "$id" >> "$open/$group"
    printf '%s' "$1" | wecom-alert app-send --from alertmanager --card button_interaction --task-id "$id" \
        --button ack=Ack:1 --button mute=Mute:1 --button close=Close:2 --button refresh=Refresh:4 \
        --option 30m='30 minutes' --option 2h='2 hours' --option 8h='8 hours'
}

# Says on all cards of the group that it is resolved, and in a message where a card can be changed no more.
resolve() {
    group=$(group_of "$1")
    [ -f "$open/$group" ] || return 0
    while read -r id; do
        wecom-alert update-card --task-id "$id" --replace-name Resolved || told=no
    done < "$open/$group"
    rm -f "$open/$group"
    [ -z "${told:-}" ] || printf '%s' "$1" | wecom-alert app-send --from alertmanager
}

group_of() {
    printf '%s' "$1" | jq -r '.groupKey // ""' | sha256sum | cut -c 1-16
}

notify() {
    case $(printf '%s' "$1" | jq -r .status) in
        resolved) resolve "$1" ;;
        *) send "$1" ;;
    esac
}

# The labels that all alerts on the card have in common, as matchers of a silence.
matchers() {
    printf '%s' "$event" | jq -c '.card.data | [(.groupLabels, .commonLabels | select(. != null and . != {}))][0] // empty
        | to_entries | map({name: .key, value: .value, isRegex: false, isEqual: true})'
}

# Asks Alertmanager: a path, then options of curl.
ask() {
    path=$1
    shift
    curl -fsS --max-time 20 "$@" "$url/$path"
}

# Silences the alerts for so many seconds, with a comment.
silence() {
    jq -n --argjson matchers "$(matchers)" --argjson seconds "$1" --arg by "$by" --arg comment "$2" '{
        matchers: $matchers, createdBy: $by, comment: $comment, startsAt: (now | todate), endsAt: (now + $seconds | todate)
    }' | ask silences -H 'Content-Type: application/json' --data-binary @- > /dev/null
}

seconds() {
    case $1 in
        *m) echo $((${1%m} * 60)) ;;
        *h) echo $((${1%h} * 3600)) ;;
        *) return 1 ;;
    esac
}

# The alerts on the card as they are now.
current() {
    ask "alerts?$(matchers | jq -r 'map("filter=" + (.name + "=" + (.value | tojson) | @uri)) | join("&")')"
}

if [ "${1:-}" = notify ]; then
    notify "$(cat)"
    exit
fi

event=$(cat)
by=$WECOM_ALERT_EVENT_USERID
if [ -z "$(matchers)" ]; then
    echo "these alerts have no labels in common: nothing was done"
    exit 1
fi
case $WECOM_ALERT_EVENT_KEY in
    ack)
        span=${ACKNOWLEDGED:-4h}
        silence "$(seconds "$span")" "acknowledged by $by"
        echo "acknowledged by $by, silent for $span"
        ;;
    mute)
        span=$(printf '%s' "$event" | jq -r '.options[0] // "30m"')
        silence "$(seconds "$span")" "muted by $by"
        echo "muted by $by for $span"
        ;;
    close)
        # Without startsAt: todate cuts off the fraction, and the end must not be before it.
        current | jq -c 'map({labels, annotations, generatorURL, endsAt: (now | todate)})' |
            ask alerts -H 'Content-Type: application/json' --data-binary @- > /dev/null
        echo "closed by $by"
        ;;
    refresh)
        alerts=$(current)
        count=$(printf '%s' "$alerts" | jq length)
        echo "$count firing now, asked by $by"
        [ "$count" -gt 0 ] || exit 0
        send "$(printf '%s' "$event" | jq -c --argjson alerts "$alerts" '.card.data + {
            status: "firing", alerts: ($alerts | map({status: "firing", labels, annotations, startsAt, generatorURL}))
        }')" >&2
        ;;
    *)
        echo "nothing is known of $WECOM_ALERT_EVENT_KEY"
        exit 1
        ;;
esac
