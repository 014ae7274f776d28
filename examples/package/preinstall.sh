#!/bin/sh
# Before the files come: the group that may read the config file, and the user of the units. See sysusers.d.
set -e
if ! getent group wecom-alert >/dev/null; then
    groupadd --system wecom-alert
fi
if ! getent passwd wecom-alert >/dev/null; then
    useradd --system --gid wecom-alert --home-dir /var/lib/wecom-alert --no-create-home \
        --shell /usr/sbin/nologin --comment 'Alerts to WeCom' wecom-alert
fi
