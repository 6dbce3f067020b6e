#!/usr/bin/env bash
#
# Sets up this host's backups: restic, its repository, and a timer for each night (backup.py). Standard input: the settings in one
# line of JSON, secrets included (bigbluebutton/backup.ts).
#
# --server: id of the server. With --remove, of the one that had the backups: a new one keeps its own.
# --at: time of the day, UTC, e.g. 02:30.
# --after-restore: the nights begin once a restore has made the server whole: a backup of an empty one would be the latest.
# --remove: takes timer and settings away. What was saved stays where it is.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "server=! at= after-restore remove" "$@"
UNITS=${BBB_DEPLOY_UNITS:-$ROOT/etc/systemd/system}
OWN=$STATE/backup

service_unit() {
  cat <<HERE
[Unit]
Description=Backup of the BigBlueButton server
Wants=network-online.target
After=network-online.target nss-lookup.target time-sync.target

[Service]
Type=oneshot
ExecStart=$PYTHON -B $LIB/backup.py run
Environment=LC_ALL=C.UTF-8
# Meetings come first.
Nice=19
IOSchedulingClass=idle
CPUQuota=50%
TimeoutStartSec=43200
HERE
}

timer_unit() {
  cat <<HERE
[Unit]
Description=Nightly backup of the BigBlueButton server

[Timer]
OnCalendar=*-*-* ${flag[at]}:00 UTC
RandomizedDelaySec=1800
Persistent=true

[Install]
WantedBy=timers.target
HERE
}

put_unit() {
  put_file "$UNITS/$1" 644 root:root
}

remove_backups() {
  if [[ -f $OWN/server && $(<"$OWN/server") != "${flag[server]}" ]]; then
    progress "the backups are those of a newer server: they stay"
    return 0
  fi
  if [[ -e $UNITS/bbb-backup.timer ]]; then
    systemctl disable --now bbb-backup.timer
    systemctl stop bbb-backup.service
  fi
  rm -f "$UNITS/bbb-backup.timer" "$UNITS/bbb-backup.service"
  rm -rf "$OWN"
  systemctl daemon-reload
  progress "no more backups are made; those that were made stay where they are"
}

set_up() {
  local settings="" changed_units=""
  if [[ ! ${flag[at]:-} =~ ^([01][0-9]|2[0-3]):[0-5][0-9]$ ]]; then fail "backup.sh needs --at HH:MM"; fi
  IFS= read -r settings || fail "the settings are missing on standard input"
  apt_install restic openssh-client
  printf '%s\n' "$settings" | "$PYTHON" -B "$LIB/backup.py" prepare | show ||
    fail "no backups are set up, for the reason in the line above; all else of this server works. Mend that in the setting backup, then run pulumi up again"
  printf '%s\n' "${flag[server]}" >"$OWN/server"
  if changed put_unit bbb-backup.service < <(service_unit); then changed_units=yes; fi
  if changed put_unit bbb-backup.timer < <(timer_unit); then changed_units=yes; fi
  if [[ -n ${flag[after-restore]:-} && ! -e $STATE/restored && ! -e $OWN/last.json ]]; then
    systemctl daemon-reload
    progress "backups begin after the restore"
    return 0
  fi
  if [[ -n $changed_units ]]; then
    systemctl daemon-reload
    systemctl enable bbb-backup.timer
    systemctl restart bbb-backup.timer
  else
    systemctl enable --now bbb-backup.timer
  fi
  progress "backups are on: each night at ${flag[at]} UTC or within half an hour of it"
}

need_root
if [[ -n ${flag[remove]:-} ]]; then remove_backups; else set_up; fi
