#!/usr/bin/env bash
#
# boot.sh DIRECTORY NAME: the power supply of one host. Boots DIRECTORY/root with the options in DIRECTORY/options, one
# a line, in a control group of its own, and again whenever the host reboots; ends when the host powers off.
set -euo pipefail

directory=$1 name=$2
reboot=133 # what systemd-nspawn --keep-unit exits with when its payload asks for a reboot

# Runs its arguments in a control group of their own, so that the host's init has a tree of groups to itself.
in_own_group() {
  if [[ -d /run/systemd/system ]]; then
    exec systemd-run --quiet --scope --property=Delegate=yes --unit="bbb-sandbox-$name-$$-$SECONDS" "$@"
  fi
  local hierarchy
  for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
    [[ -w $hierarchy/cgroup.procs ]] || continue
    mkdir -p "$hierarchy/bbb-sandbox/$name"
    echo "$BASHPID" >"$hierarchy/bbb-sandbox/$name/cgroup.procs"
  done
  exec "$@"
}

while :; do
  mapfile -t options <"$directory/options"
  status=0
  (in_own_group systemd-nspawn "${options[@]}" </dev/null) || status=$?
  ((status == reboot)) || exit "$status"
  printf 'boot.sh: %s reboots\n' "$name"
done
