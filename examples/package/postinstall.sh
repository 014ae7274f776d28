#!/bin/sh
# Makes the folders of tmpfiles.d, which systemd knows from the next boot on. Nothing is enabled, nothing is started.
set -e
for folder in /var/lib/wecom-alert /run/wecom-alert; do
    [ -d "$folder" ] || install -d -m 2770 -o wecom-alert -g wecom-alert "$folder"
done
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
fi
