#!/usr/bin/env bash
#
# Mounts the recordings volume at /srv/bigbluebutton, and from it the places of BigBlueButton's recordings, those not
# processed yet included, before anything is installed. A volume with anything on it is never formatted.
#
# --device: stable path of the volume, e.g. /dev/disk/by-id/scsi-0HC_Volume_42.
# --size-gb: of the volume; a new one runs this again, so that the file system grows with it.
# --greenlight: Greenlight's directory, with its accounts and rooms, is there, too. One that is on the server's own disk
#   already is moved at a new text of --upgrade only, since that stops Greenlight for a while.
# --upgrade: that setting.
# --balancer: the host is a pool's balancer, which has published recordings only.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "device=! size-gb= greenlight upgrade= balancer" "$@"
# shellcheck source=scripts/host/recordings_writers.sh
. "$LIB/recordings_writers.sh"
device=${flag[device]}
{
  read -r mount_point
  mapfile -t directories
} < <("$PYTHON" -B "$LIB/recordings_mounts.py" ${flag[balancer]:+--balancer})
# Without Greenlight's, which come to `directories` where they belong to the volume.
recorded=("${directories[@]}")
container_unit=bbb-deploy-recordings.service
greenlight=/root/greenlight-v3
# What the step that sets Greenlight up has noted of the time before its changes: it goes with the data that it changed.
notes=/var/lib/bbb-deploy/greenlight
# While Greenlight is moved; the copy on the volume is then this script's own.
moving=$STATE/recordings/greenlight-moving
change=upgrade=${flag[upgrade]:-}

# Services that write there: they must not start without the volume, or they would fill the root disk instead.
units=(bbb-web freeswitch bbb-webrtc-sfu bbb-webrtc-recorder kurento-media-server bbb-rap-resque-worker bbb-rap-starter
  bbb-rap-caption-inbox bbb-rap-archive-worker bbb-rap-process-worker bbb-rap-publish-worker bbb-rap-sanity-worker)
# Those of a balancer say so themselves.
if [[ -n ${flag[balancer]:-} ]]; then units=(); fi

# An NVMe device (EC2) has its namespace at the end of its name under some releases of udev, and not under others.
device_ready() {
  if [[ ! -b $device && -b ${flag[device]}_1 ]]; then device=${flag[device]}_1; fi
  [[ -b $device ]] && (($(blockdev --getsize64 "$device" 2>/dev/null || echo 0) > 0))
}

# Nothing at all: no signature that blkid or wipefs knows, and nothing that they don't.
device_empty() {
  local status=0
  blkid --probe "$device" >/dev/null || status=$?
  ((status == 2)) || return 1
  [[ -z $(wipefs --noheadings --no-act "$device") ]] || return 1
  cmp -s -n 1048576 "$device" /dev/zero
}

make_filesystem() {
  local type
  if device_empty; then
    progress "the volume is empty: making an ext4 file system"
    mkfs.ext4 -q -m 1 -L bbb-recordings "$device"
    udevadm settle --timeout=10 2>/dev/null || true
  fi
  type=$(blkid --probe --match-tag TYPE --output value "$device" || true)
  case $type in
    ext4 | xfs) ;;
    *) fail "the volume $device holds ${type:-data of an unknown kind}, and is left as it is. If nothing on it is needed, empty it: wipefs --all $device && dd if=/dev/zero of=$device bs=1M count=1; else choose another volume (recordingsVolumeId)" ;;
  esac
}

# Data below a directory that is about to be covered would vanish from sight.
check_covered() {
  local directory
  for directory in "${directories[@]}"; do
    if mountpoint -q "$ROOT$directory" || [[ ! -e $ROOT$directory ]]; then continue; fi
    if [[ -L $ROOT$directory ]]; then
      fail "$directory is a symbolic link: somebody has put recordings elsewhere. Remove it, with the data moved to $mount_point$directory, or unset recordingsGb"
    fi
    if [[ -n $(find "$ROOT$directory" -mindepth 1 -type f -print -quit) ]]; then
      fail "$directory already holds files, which the volume would hide. Move them by hand, outside of meetings: $stop_by_hand; mount $device /mnt; mkdir -p /mnt$directory; rsync -aHAX --remove-source-files $directory/ /mnt$directory/; umount /mnt; then run pulumi up again"
    fi
  done
}

# The lines of fstab: ours anew, others as they are.
fstab() {
  local uuid=$1 type=$2 directory
  grep -v '# bbb-deploy$' "$ROOT/etc/fstab" || true
  echo "UUID=$uuid $mount_point $type defaults,nofail,x-systemd.device-timeout=120s 0 2 # bbb-deploy"
  for directory in "${directories[@]}"; do
    echo "$mount_point$directory $directory none bind,nofail,x-systemd.requires=$container_unit,x-systemd.requires-mounts-for=$mount_point 0 0 # bbb-deploy"
  done
}

# systemd ignores devices in fstab where /sys can't be written: in containers. Elsewhere this does nothing.
container_mount() {
  cat <<HERE
[Unit]
Description=Mount the recordings volume where fstab's devices are ignored
ConditionPathIsReadWrite=!/sys
ConditionPathIsMountPoint=!$mount_point
DefaultDependencies=no
After=systemd-remount-fs.service
Before=local-fs.target umount.target
Conflicts=umount.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/mount $device $mount_point
HERE
}

# Whether one of our mounts is of another device than the volume's.
mounted_elsewhere() {
  local path used
  used=$(mountpoint -x "$(readlink -f "$device")")
  for path in "$mount_point" "${directories[@]}"; do
    if ! mountpoint -q "$ROOT$path" || [[ $(mountpoint -d "$ROOT$path") == "$used" ]]; then continue; fi
    if [[ $path == "$mount_point" ]] || grep -q " $path .*# bbb-deploy$" "$ROOT/etc/fstab"; then return 0; fi
  done
  return 1
}

# What is written to such a device is lost to the volume.
refuse_other_mount() {
  local uuid=$1
  if ! mounted_elsewhere; then return 0; fi
  if grep -q "^UUID=$uuid $mount_point .*# bbb-deploy$" "$ROOT/etc/fstab"; then
    fail "the volume $device was detached while it was mounted at $mount_point, and has come back as another device; nothing was changed. Restart the host outside of meetings (systemctl reboot), which mounts it anew, then run pulumi up again"
  fi
  fail "another volume than $device is mounted at $mount_point; its recordings were left where they are. To go over to $device, by hand and outside of meetings: $stop_by_hand; mount $device /mnt; rsync -aHAX $mount_point/ /mnt/ (unless only what it holds already is wanted); umount /mnt ${directories[*]} $mount_point; then run pulumi up again"
}

mount_volume() {
  mkdir -p "$ROOT$mount_point"
  if ! mountpoint -q "$ROOT$mount_point"; then mount "$device" "$ROOT$mount_point"; fi
}

has_data() { "$PYTHON" -B "$LIB/greenlight_move.py" has "$ROOT$1"; }

# Whether this host's fstab has a recordings volume already.
bound_here() { grep -qs " $mount_point .*# bbb-deploy$" "$ROOT/etc/fstab"; }

bound_before() { grep -qs " $greenlight .*# bbb-deploy$" "$ROOT/etc/fstab"; }

# Whether Greenlight is to be on the volume now. A stack of before has a text of `upgrade` that asked for something else.
place_greenlight() {
  local former
  former=$greenlight.before-volume-$(date -u +%Y%m%d%H%M%S)
  if bound_before || mountpoint -q "$ROOT$greenlight"; then return 0; fi
  if [[ -z ${flag[greenlight]:-} ]]; then return 1; fi
  if [[ ! -e $moving ]]; then
    if ! has_data "$greenlight"; then return 0; fi
    if has_data "$mount_point$greenlight"; then
      progress "note: Greenlight is on the server's own disk, and there is another one on the volume ($mount_point$greenlight): both stay as they are. To have the volume's, or the server's there, move the other away by hand, outside of meetings: systemctl stop docker; mv DIRECTORY DIRECTORY.other; then give upgrade a new text"
      return 1
    fi
    if [[ ! -e $STATE/recordings-detached ]] && ! { [[ -e $texts_done ]] && new_text "$change"; }; then
      progress "note: Greenlight's accounts and rooms are on the server's own disk, and lost with it. A new text of the setting upgrade moves them to the volume"
      return 1
    fi
    "$PYTHON" -B "$LIB/greenlight_move.py" room "$ROOT$greenlight" "$ROOT$mount_point$greenlight" 2>&1 | show || exit 1
    if [[ ! -e $STATE/recordings-detached ]]; then refuse_while_in_use "moving Greenlight to the volume" "$change"; fi
    begin_move
  fi
  progress "stopping Greenlight, and moving it to the volume"
  stop_docker
  if has_data "$greenlight"; then
    { copy_over "$notes" && copy_over "$greenlight"; } 2>&1 | show ||
      { end_move; fail "Greenlight was not moved, for the reason above, and runs on the server's own disk as before"; }
    mv -T "$ROOT$greenlight" "$ROOT$former"
    rm -rf "${ROOT:?}$notes"
    progress "Greenlight is on the volume; its former directory stays in $former until you remove it"
  fi
}

copy_over() {
  if ! has_data "$1"; then return 0; fi
  "$PYTHON" -B "$LIB/greenlight_move.py" copy --over "$ROOT$1" "$ROOT$mount_point$1"
}

# A restart of the host in between must not begin with an empty database in the place of the one that is moved.
begin_move() {
  printf '[Unit]\nConditionPathExists=!%s\n' "$moving" |
    put_file "$ROOT/etc/systemd/system/docker.service.d/50-bbb-deploy-moving.conf" 644 root:root || (($? == 10))
  mkdir -p "${moving%/*}"
  : >"$moving"
  systemctl daemon-reload
}

end_move() {
  rm -f "$moving" "$ROOT/etc/systemd/system/docker.service.d/50-bbb-deploy-moving.conf"
  systemctl daemon-reload
  start_docker
}

# Docker with all that it runs: Greenlight, and for moments what converts presentations.
stop_docker() {
  if systemctl cat docker.service >/dev/null 2>&1; then
    timeout 300 systemctl stop docker.socket docker.service 2>/dev/null || timeout 300 systemctl stop docker.service ||
      fail "docker could not be stopped: see journalctl -u docker; Greenlight stays where it is"
  fi
}

start_docker() {
  if systemctl cat docker.service >/dev/null 2>&1; then timeout 300 systemctl start docker.service || fail "docker did not start: see journalctl -u docker"; fi
}

bind_all() {
  local directory
  for directory in "${directories[@]}"; do
    mkdir -p "$ROOT$directory"
    if ! mountpoint -q "$ROOT$directory"; then
      # Owner and mode, where a package has made it already. The volume's own directory keeps its own.
      if [[ ! -e $ROOT$mount_point$directory ]]; then
        mkdir -p "$ROOT$mount_point$directory"
        if [[ $directory == /root/* ]]; then chmod 700 "$ROOT$mount_point/root"; fi
        chown --reference="$ROOT$directory" "$ROOT$mount_point$directory"
        chmod --reference="$ROOT$directory" "$ROOT$mount_point$directory"
      fi
      if [[ -z $(ls -A "$ROOT$mount_point$directory") ]]; then
        find "$ROOT$directory" -mindepth 1 -maxdepth 1 -exec cp -a -t "$ROOT$mount_point$directory" {} +
      fi
      mount --bind "$ROOT$mount_point$directory" "$ROOT$directory"
    fi
  done
}

# A volume that was made larger.
grow() {
  case $1 in
    ext4) resize2fs "$device" ;;
    xfs) xfs_growfs "$ROOT$mount_point" ;;
  esac || progress "note: the file system of the volume did not grow with it, see the log; growing $device by hand helps (resize2fs, xfs_growfs)"
}

require_mounts() {
  local unit
  for unit in "${units[@]}"; do require "$unit" "${recorded[@]}"; done
  # Without the volume it would begin with an empty database.
  if on_volume; then require docker "$greenlight" "$notes"; fi
  systemctl daemon-reload
}

require() { # UNIT DIRECTORY…
  printf '[Unit]\nRequiresMountsFor=%s\n' "${*:2}" |
    put_file "$ROOT/etc/systemd/system/$1.service.d/50-bbb-deploy-recordings.conf" 644 root:root || (($? == 10))
}

# Whether Greenlight is on the volume, from this run on.
on_volume() { [[ " ${directories[*]} " == *" $greenlight "* ]]; }

need_root
if ! device_ready; then progress "waiting for the volume $device to appear"; fi
wait_until 180 device_ready ||
  fail "the volume $device did not appear in 3 minutes: check in the cloud's console that it is attached to this server, then run pulumi up again"
make_filesystem
type=$(blkid --probe --match-tag TYPE --output value "$device")
uuid=$(blkid --probe --match-tag UUID --output value "$device")
refuse_other_mount "$uuid"
if bound_before; then directories+=("$greenlight" "$notes"); fi
check_covered
booted_without=""
if bound_here && ! mountpoint -q "$ROOT$mount_point"; then booted_without=yes; fi
mount_volume
if ! bound_before && place_greenlight; then directories+=("$greenlight" "$notes"); fi
bind_all
fix_owners
put_file "$ROOT/etc/systemd/system/$container_unit" 644 root:root < <(container_mount) || (($? == 10))
put_file "$ROOT/etc/fstab" 644 root:root < <(fstab "$uuid" "$type") || (($? == 10))
require_mounts
# Also after a run that was cut off before it.
if on_volume; then end_move; fi
if [[ -n ${flag[greenlight]:-} ]]; then changes_done "$change"; fi
grow "$type"
progress "$(df --output=size -BG "$ROOT$mount_point" | tail -n 1 | tr -d ' ') for recordings at $mount_point, $(df --output=pcent "$ROOT$mount_point" | tail -n 1 | tr -d ' ') used"
if [[ -e $STATE/recordings-detached ]]; then
  progress "starting $writers, which was stopped to take the former volume away"
  start_writers || fail "$writers did not start: see the log, then run pulumi up again"
  rm -f "$STATE/recordings-detached"
elif [[ -n $booted_without ]] && { is_balancer || { installed bbb-web && ! systemctl is-active --quiet bbb-web; }; }; then
  progress "starting $writers, which could not start with this server: the volume was not there yet"
  start_writers || fail "$writers did not start: see the log, then run pulumi up again"
fi
