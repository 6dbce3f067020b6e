#!/usr/bin/env bash
#
# Stops BigBlueButton, or what a pool's balancer has of it, and unmounts the recordings volume, so that nothing written to it is lost when it is detached or
# its server replaced. Run by hand on the host before that: the next boot, or systemctl start bigbluebutton.target,
# mounts it again. Run by the program, with --detach, before it takes the volume from a server that stays.
#
# --end-meetings: even during meetings.
# --detach: no boot will wait for it. BigBlueButton is started again: by recordings.sh with the next volume, here without.
# --device: stable path of the volume that the host should have. If it is the one in use, nothing is done.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "end-meetings detach device=" "$@"
# shellcheck source=scripts/host/recordings_writers.sh
. "$LIB/recordings_writers.sh"

# Those of recordings.sh, the last one first.
mount_points() {
  awk '/# bbb-deploy$/ { print $2 }' "$ROOT/etc/fstab" | tac
}

# Whether the volume in use is the one that the host is to have.
in_place() {
  local uuid
  [[ -n ${flag[device]:-} ]] || return 1
  uuid=$(blkid --probe --match-tag UUID --output value "${flag[device]}") && [[ -n $uuid ]] || return 1
  grep -q "^UUID=$uuid .*# bbb-deploy$" "$ROOT/etc/fstab"
}

# The directories that BigBlueButton's packages have made below one, as "OWNER:GROUP MODE PATH", none of a recording.
layout() {
  if [[ -d $1 ]]; then find "$1" -maxdepth 2 -type d -printf '%U:%G %m %p\n'; fi
}

make_layout() {
  local owner mode path
  while read -r owner mode path; do
    if [[ -z $path ]]; then continue; fi
    mkdir -p "$path"
    chown "$owner" "$path"
    chmod "$mode" "$path"
  done
}

greenlight=/root/greenlight-v3
# recordings.sh says what these are.
greenlight_places=(/var/lib/bbb-deploy/greenlight "$greenlight")

# Whether Greenlight is on the volume. What it runs in would hold it.
has_greenlight() {
  grep -qs " $greenlight .*# bbb-deploy$" "$ROOT/etc/fstab"
}

greenlight_move() { "$PYTHON" -B "$LIB/greenlight_move.py" "$@" 2>&1 | show; }

stop_greenlight() {
  if systemctl cat docker.service >/dev/null 2>&1; then
    progress "stopping Greenlight"
    timeout 300 systemctl stop docker.socket docker.service 2>/dev/null || timeout 300 systemctl stop docker.service ||
      fail "docker could not be stopped: see journalctl -u docker; nothing was unmounted"
  fi
}

# Gives the server's own disk what would be gone with the volume. One that was cut off begins anew.
keep_greenlight() {
  local place on_volume
  for place in "${greenlight_places[@]}"; do
    on_volume=$ROOT/srv/bigbluebutton$place
    if ! "$PYTHON" -B "$LIB/greenlight_move.py" has "$on_volume"; then continue; fi
    if mountpoint -q "$ROOT$place"; then
      umount "$ROOT$place" || fail "$place is still in use: fuser -vm $place shows by what. End that, then run this again"
    fi
    greenlight_move copy --over "$on_volume" "$ROOT$place" ||
      fail "Greenlight could not be copied to the server's own disk, for the reason above; the volume stays"
  done
  progress "Greenlight is on the server's own disk again; its copy on the volume stays"
}

start_greenlight() {
  rm -f "$ROOT/etc/systemd/system/docker.service.d/50-bbb-deploy-recordings.conf"
  systemctl daemon-reload || true
  if systemctl cat docker.service >/dev/null 2>&1; then
    timeout 300 systemctl start docker.service || fail "docker did not start: see journalctl -u docker"
  fi
}

start_again() {
  progress "recordings are kept on the server's own disk from now on"
  start_writers || fail "$writers did not start: see the log, then run pulumi up again"
  rm -f "$STATE/recordings-detached"
}

need_root
if [[ -z $(mount_points) && -n ${flag[detach]:-} ]]; then
  # A run that was cut off, or whose start failed.
  if [[ -e $STATE/recordings-detached && -z ${flag[device]:-} ]]; then start_again; fi
  progress "no recordings volume is mounted"
  exit 0
fi
if [[ -n ${flag[detach]:-} ]] && in_place; then
  progress "the recordings volume stays"
  exit 0
fi
if [[ -z $(mount_points) ]]; then fail "there is no recordings volume on this host"; fi
found=$(in_use)
if [[ -n $found && -z ${flag[end-meetings]:-} ]]; then
  fail "$found on $(hostname), which this ends; nothing was touched. Wait for their end, or add --end-meetings"
fi
if has_greenlight && [[ -n ${flag[detach]:-} ]]; then
  greenlight_move room "$ROOT/srv/bigbluebutton$greenlight" "$ROOT$greenlight" || fail "Greenlight does not fit onto the server's own disk; nothing was touched"
fi
progress "stopping $writers"
stop_writers || fail "$writers could not be stopped, for the reason in the lines above; nothing was unmounted"
if has_greenlight; then
  stop_greenlight
  if [[ -n ${flag[detach]:-} ]]; then keep_greenlight; fi
fi
while IFS= read -r directory; do
  if ! mountpoint -q "$ROOT$directory"; then continue; fi
  made=$(layout "$ROOT$directory")
  umount "$ROOT$directory" ||
    fail "$directory is still in use: fuser -vm $directory shows by what. End that, then run this again"
  # Those below the volume's, which BigBlueButton has from now on.
  if [[ -n ${flag[detach]:-} && -z ${flag[device]:-} && $directory != /srv/* && " ${greenlight_places[*]} " != *" $directory "* ]]; then make_layout <<<"$made"; fi
done < <(mount_points)
sync
if [[ -n ${flag[detach]:-} ]]; then
  mkdir -p "$STATE"
  : >"$STATE/recordings-detached"
  if has_greenlight; then start_greenlight; fi
  sed -i '/# bbb-deploy$/d' "$ROOT/etc/fstab"
  systemctl daemon-reload || true
  if [[ -n ${flag[device]:-} ]]; then
    progress "the recordings volume is unmounted; $writers starts again with the next"
    exit 0
  fi
  progress "the recordings volume is unmounted"
  start_again
  exit 0
fi
progress "the recordings volume is unmounted: it can be detached, or the server replaced"
