#!/bin/sh
# What waits in the outbox stays until dpkg purges; rpm knows no purge. User and group stay, so that no file gets a stranger
# as its owner.
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
fi
if [ "${1:-}" = purge ]; then
    rm -rf /var/lib/wecom-alert /var/cache/wecom-alert /run/wecom-alert
fi
