#!/bin/sh
# On removal, not on an upgrade: dpkg says "remove", rpm says how many versions stay.
set -e
case ${1:-} in
    remove | 0)
        if [ -d /run/systemd/system ]; then
            systemctl disable --now wecom-alert-flush.timer wecom-alert-listen.service || true
        fi
        ;;
esac
