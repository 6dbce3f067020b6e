#!/usr/bin/env bash
#
# boot-fresh.sh NAME DIRECTORY OPTION…: boots the tree in DIRECTORY as a machine of its own, with all that a virtual machine's
# root may do, in a control group of its own. Runs until the machine is off.
set -euo pipefail

name=$1 directory=$2
shift 2

# shellcheck source=sandbox/hosts/ownGroup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../../sandbox/hosts/ownGroup.sh"

# Its own containers need all system calls, and writable settings of the kernel. Today's systemd boots on cgroup2 alone.
export SYSTEMD_SECCOMP=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 UNIFIED_CGROUP_HIERARCHY=1
in_own_group "$name" systemd-nspawn --quiet --directory="$directory" --machine="$name" --register=no --keep-unit --settings=no \
  --capability=all --resolv-conf=copy-host --link-journal=no --timezone=off --kill-signal=SIGRTMIN+3 \
  --bind=/dev/loop-control "$@" --boot </dev/null
