#!/bin/sh
# Makes the folders of tmpfiles.d. Nothing is enabled, nothing is started.
set -e
if command -v systemd-tmpfiles >/dev/null; then
    systemd-tmpfiles --create wecom-alert.conf || true
else
    for folder in /var/lib/wecom-alert /run/wecom-alert; do
        [ -d "$folder" ] || install -d -m 2770 -o wecom-alert -g wecom-alert "$folder"
    done
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
fi
