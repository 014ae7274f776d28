#!/bin/sh
# Deploys only after somebody approved: deploy.sh NAME COMMAND…
#   deploy.sh "web $CI_PIPELINE_ID" ./roll-out.sh
# APPROVERS names who is asked and who may, by comma. The profile needs an aibot; see wecom-alert help ask.
#
# The name belongs to this one deployment: run again, the job waits on, or gets the answer that was given.
# A gate in a repository's own CI file is no security boundary: who may change the file may take the gate out. Where that
# matters, keep the secret of the deployment where only a job that has passed the gate can read it.
set -eu
name=${1:?give the deployment a name}
shift
: "${1:?give the command that deploys}" "${APPROVERS:?say who may approve, such as zhangsan,lisi}"
wecom-alert ask --confirm -u "$APPROVERS" --only "$APPROVERS" --id "deploy $name" --wait 2h --remind 30m --ci \
    --title "Deploy $name?" --field "command=$*"
exec "$@"
