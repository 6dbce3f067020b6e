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
OWN=$STATE/backup
STATE_UNIT=bbb-backup-state.service
# shellcheck source=scripts/host/addition.sh
. "$LIB/addition.sh"

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

# For save-state.sh, which waits for it before an upgrade or a new secret.
state_unit() {
  cat <<HERE
[Unit]
Description=Backup of the BigBlueButton server's state before a change

[Service]
Type=oneshot
ExecStart=$PYTHON -B $LIB/backup.py state
Environment=LC_ALL=C.UTF-8
Nice=10
TimeoutStartSec=300
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

remove_backups() {
  if of_newer_server; then
    progress "the backups are those of a newer server: they stay"
    return 0
  fi
  rm -f "$UNITS/$STATE_UNIT"
  remove_timer bbb-backup
  rm -rf "$OWN"
  progress "no more backups are made; those that were made stay where they are"
}

set_up() {
  local settings=""
  if [[ ! ${flag[at]:-} =~ ^([01][0-9]|2[0-3]):[0-5][0-9]$ ]]; then fail "backup.sh needs --at HH:MM"; fi
  IFS= read -r settings || fail "the settings are missing on standard input"
  apt_install restic openssh-client
  printf '%s\n' "$settings" | "$PYTHON" -B "$LIB/backup.py" prepare | show ||
    fail "no backups are set up, for the reason in the line above; all else of this server works. Mend that in the setting backup, then run pulumi up again"
  note_server
  if changed put_file "$UNITS/$STATE_UNIT" 644 root:root < <(state_unit); then systemctl daemon-reload; fi
  put_timer bbb-backup
  if [[ -n ${flag[after-restore]:-} && ! -e $STATE/restored && ! -e $OWN/last.json ]]; then
    progress "backups begin after the restore"
    return 0
  fi
  start_timer bbb-backup
  progress "backups are on: each night at ${flag[at]} UTC or within half an hour of it"
}

need_root
if [[ -n ${flag[remove]:-} ]]; then remove_backups; else set_up; fi
