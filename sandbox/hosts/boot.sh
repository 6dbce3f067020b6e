#!/usr/bin/env bash
#
# boot.sh DIRECTORY NAME: the power supply of one host. Boots DIRECTORY/root with the options in DIRECTORY/options, one
# a line, in a control group of its own, and again whenever the host reboots; ends when the host powers off.
set -euo pipefail

directory=$1 name=$2
reboot=133 # what systemd-nspawn --keep-unit exits with when its payload asks for a reboot

# shellcheck source=sandbox/hosts/ownGroup.sh
. "$(dirname "${BASH_SOURCE[0]}")/ownGroup.sh"

while :; do
  mapfile -t options <"$directory/options"
  status=0
  (in_own_group "bbb-sandbox/$name" systemd-nspawn "${options[@]}" </dev/null) || status=$?
  ((status == reboot)) || exit "$status"
  printf 'boot.sh: %s reboots\n' "$name"
done
