#!/usr/bin/env bash
#
# copyFrozen.sh DIRECTORY FROM TO: copies a disk's file as it is at one moment, whoever writes to it. The disk is mounted at DIRECTORY,
# which writes nothing while it is frozen. It thaws in any case, since whatever wants to write waits for that without an end.
set -euo pipefail

directory=$1 from=$2 to=$3
limit=60s

trap 'fsfreeze --unfreeze "$directory"' EXIT
fsfreeze --freeze "$directory"
timeout --foreground "$limit" cp --sparse=always --reflink=auto "$from" "$to"
