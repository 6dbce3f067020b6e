#!/usr/bin/env bash
#
# Stops BigBlueButton and unmounts the recordings volume, so that nothing written to it is lost when it is detached or its
# server replaced. Run by hand on the host before that: either the next boot or systemctl start bigbluebutton.target mounts
# it again. Run by the program, with --detach, before it takes the volume from a server that stays.
#
# --end-meetings: though some run.
# --detach: no boot is to wait for it. recordings.sh starts BigBlueButton again, with the next volume.
#
# Time limit: 600 s
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "end-meetings detach" "$@"

# Those of recordings.sh, the last one first.
mount_points() {
  awk '/# bbb-deploy$/ { print $2 }' "$ROOT/etc/fstab" | tac
}

need_root
if [[ -z $(mount_points) && -n ${flag[detach]:-} ]]; then
  progress "no recordings volume is mounted"
  exit 0
fi
if [[ -z $(mount_points) ]]; then fail "there is no recordings volume on this host"; fi
found=$(in_use)
if [[ -n $found && -z ${flag[end-meetings]:-} ]]; then
  fail "$found on $(hostname), which this ends; nothing was touched. Wait for their end, or add --end-meetings"
fi
progress "stopping BigBlueButton"
timeout 300 bbb-conf --stop </dev/null || fail "BigBlueButton could not be stopped, for the reason in the lines above; nothing was unmounted"
while IFS= read -r directory; do
  if ! mountpoint -q "$ROOT$directory"; then continue; fi
  umount "$ROOT$directory" ||
    fail "$directory is still in use: fuser -vm $directory shows by what. End that, then run this again"
done < <(mount_points)
sync
if [[ -n ${flag[detach]:-} ]]; then
  mkdir -p "$STATE"
  : >"$STATE/recordings-detached"
  sed -i '/# bbb-deploy$/d' "$ROOT/etc/fstab"
  systemctl daemon-reload || true
  progress "the recordings volume is unmounted; BigBlueButton starts again with the next. Without one: bbb-conf --start, and recordings are kept on the server's own disk"
  exit 0
fi
progress "the recordings volume is unmounted: it can be detached, or the server replaced"
