# shellcheck shell=bash
#
# Read by what boots a machine of its own beside others.

# in_own_group GROUP COMMAND…: runs the command in a control group of its own, so that the machine's init has a tree of groups to
# itself.
in_own_group() {
  local group=$1 hierarchy
  shift
  if [[ -d /run/systemd/system ]]; then
    exec systemd-run --quiet --scope --property=Delegate=yes --unit="${group//\//-}-$$-$SECONDS" "$@"
  fi
  for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
    [[ -w $hierarchy/cgroup.procs ]] || continue
    mkdir -p "$hierarchy/$group"
    echo "$BASHPID" >"$hierarchy/$group/cgroup.procs"
  done
  exec "$@"
}
