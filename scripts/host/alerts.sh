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
UNITS=${BBB_DEPLOY_UNITS:-$ROOT/etc/systemd/system}
OWN=$STATE/alerts

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

put_unit() {
  put_file "$UNITS/$1" 644 root:root
}

remove_alerts() {
  if [[ -f $OWN/server && $(<"$OWN/server") != "${flag[server]}" ]]; then
    progress "the alerts are those of a newer server: they stay"
    return 0
  fi
  if [[ -e $UNITS/bbb-alerts.timer ]]; then
    systemctl disable --now bbb-alerts.timer
    systemctl stop bbb-alerts.service
  fi
  rm -f "$UNITS/bbb-alerts.timer" "$UNITS/bbb-alerts.service"
  rm -rf "$OWN" "$ROOT/run/bbb-alerts.json"
  systemctl daemon-reload
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
  printf '%s\n' "${flag[server]}" >"$OWN/server"
  local changed_units=""
  if changed put_unit bbb-alerts.service < <(service_unit); then changed_units=yes; fi
  if changed put_unit bbb-alerts.timer < <(timer_unit); then changed_units=yes; fi
  if [[ -n $changed_units ]]; then
    systemctl daemon-reload
    systemctl enable bbb-alerts.timer
    systemctl restart bbb-alerts.timer
  else
    systemctl enable --now bbb-alerts.timer
  fi
  progress "alerts are on"
}

need_root
if [[ -n ${flag[remove]:-} ]]; then remove_alerts; else set_up; fi
