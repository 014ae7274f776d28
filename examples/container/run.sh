#!/bin/sh
# Run wecom-alert in a container with a read-only root and no privileges.
#
#   df -h | sh run.sh webhook-send
#   sh run.sh app-send -u zhangsan 'disk full'
#
#   ALERT_ENGINE  docker (default) or podman
#   ALERT_IMAGE   wecom-alert (default)
#
# Every WECOM_ALERT_* variable that is set here is handed over by name, so no credential is on a command line. Folders
# and files that they name must be paths inside the container: mount them, for instance
#   -v /etc/wecom-alert/room.key:/run/secrets/room.key:ro -e WECOM_ALERT_WEBHOOK_FILE=/run/secrets/room.key
#
# The token cache of an app lies in memory and is gone with the container: each run then costs one gettoken call. For
# more than a few runs an hour mount a folder that user 65532 owns over /cache instead.
#
# Pacing, --cooldown and --outbox need a folder that outlives the container: add a volume that user 65532 owns,
#   -v wecom-state:/state -e WECOM_ALERT_STATE_DIR=/state
# and let a timer run `outbox flush` with it. Without one --outbox warns that the alert is sent without being stored.
set -eu

image=${ALERT_IMAGE:-wecom-alert}
engine=${ALERT_ENGINE:-docker}

# Names are ours to look through, values are not: they may span lines.
names=$(awk 'BEGIN { for (name in ENVIRON) if (name ~ /^WECOM_ALERT_[A-Z_]+$/) print "--env " name }')

# Words without blanks: to be split. -i passes stdin on.
# shellcheck disable=SC2086
exec "$engine" run --rm -i --read-only --cap-drop ALL --security-opt no-new-privileges \
    --tmpfs /cache:rw,noexec,nosuid,size=1m,mode=1777 \
    $names --env WECOM_ALERT_CACHE_DIR=/cache \
    "$image" wecom-alert "$@"
