#!/usr/bin/env bash
#
# Sets up this host's alerts: a timer that has the host check itself every few minutes, and tell what has changed
# (alert_round.py). Standard input: its settings in one line of JSON, secrets included (bigbluebutton/alerts.ts). Before they are
# in use a test message goes out by each way, where any of these has changed.
#
# --server: id of the server. With --remove, of the one that had the alerts: a new one keeps its own.
# --remove: takes timer, settings and state away; nobody is told of anything any more.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "server=! remove" "$@"
OWN=$STATE/alerts
# shellcheck source=scripts/host/addition.sh
. "$LIB/addition.sh"

service_unit() {
  cat <<HERE
[Unit]
Description=Round of checks of the BigBlueButton deployment, and alerts
Wants=network-online.target
After=network-online.target nss-lookup.target

[Service]
Type=oneshot
ExecStart=$PYTHON -B $LIB/alert_round.py
Environment=LC_ALL=C.UTF-8
# Meetings come first.
Nice=19
IOSchedulingClass=idle
TimeoutStartSec=420
HERE
}

# Two rounds in a row make an alert: with what they take themselves, within ten minutes.
timer_unit() {
  cat <<'HERE'
[Unit]
Description=Rounds of checks of the BigBlueButton deployment

[Timer]
OnActiveSec=30
OnUnitActiveSec=240
AccuracySec=15

[Install]
WantedBy=timers.target
HERE
}

remove_alerts() {
  if of_newer_server; then
    progress "the alerts are those of a newer server: they stay"
    return 0
  fi
  remove_timer bbb-alerts
  rm -rf "$OWN" "$ROOT/run/bbb-alerts.json"
  progress "alerts are off"
}

announce() {
  "$PYTHON" -B "$LIB/alert_round.py" --announce "$OWN/settings.new" | show
}

set_up() {
  local settings=""
  IFS= read -r settings || fail "the settings are missing on standard input"
  (umask 077 && mkdir -p "$OWN" && printf '%s\n' "$settings" >"$OWN/settings.new")
  if ! announce; then
    rm "$OWN/settings.new"
    fail "the test message did not get through, for the reason in the lines above. Mend that in the setting alerts, then run pulumi up again"
  fi
  mv "$OWN/settings.new" "$OWN/settings.json"
  note_server
  put_timer bbb-alerts
  start_timer bbb-alerts
  progress "alerts are on"
}

need_root
if [[ -n ${flag[remove]:-} ]]; then remove_alerts; else set_up; fi
