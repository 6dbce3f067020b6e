# shellcheck shell=bash
#
# Functions of the steps that a setting adds to a server, and whose removal takes away again what they have set up. To be
# sourced after lib.sh and parse_flags, which has --server.
#
# OWN: the addition's directory.
# shellcheck disable=SC2154 # flag is parse_flags'.

UNITS=${BBB_DEPLOY_UNITS:-$ROOT/etc/systemd/system}

# Notes the server that has the addition now.
note_server() {
  printf '%s\n' "${flag[server]}" >"$OWN/server"
}

# Whether a removal is of a former server's addition: the new one keeps its own.
of_newer_server() {
  [[ -f $OWN/server && $(<"$OWN/server") != "${flag[server]}" ]]
}

# Puts a service and its timer, which service_unit and timer_unit print. start_timer has them begin.
put_timer() { # NAME
  units_changed=""
  if changed put_file "$UNITS/$1.service" 644 root:root < <(service_unit); then units_changed=yes; fi
  if changed put_file "$UNITS/$1.timer" 644 root:root < <(timer_unit); then units_changed=yes; fi
  if [[ -n $units_changed ]]; then systemctl daemon-reload; fi
}

start_timer() { # NAME
  if [[ -n $units_changed ]]; then
    systemctl enable "$1.timer"
    systemctl restart "$1.timer"
  else
    systemctl enable --now "$1.timer"
  fi
}

# Has a command end a former secret at UNTIL (seconds since 1970), and run again until it succeeds. Without UNTIL there is none.
end_former_secret() { # UNIT WHOSE UNTIL COMMAND
  local unit=$1 whose=$2 until=$3 command=$4
  if [[ -z $until ]]; then
    if [[ -e $UNITS/$unit.timer ]]; then remove_timer "$unit"; fi
    return 0
  fi
  progress "the former secret of $whose is taken until $(date -u -d "@$until" '+%F %R UTC'), and by a further rotation no more"
  # In a shell of its own: the caller may have units of another timer.
  (
    service_unit() {
      cat <<HERE
[Unit]
Description=End of a former secret of $whose

[Service]
Type=oneshot
ExecStart=$command
Restart=on-failure
RestartSec=5min
HERE
    }
    timer_unit() {
      cat <<HERE
[Unit]
Description=End of a former secret of $whose

[Timer]
OnCalendar=$(date -u -d "@$until" '+%F %T UTC')
Persistent=true

[Install]
WantedBy=timers.target
HERE
    }
    put_timer "$unit"
    start_timer "$unit"
  )
}

remove_timer() { # NAME
  if [[ -e $UNITS/$1.timer ]]; then
    systemctl disable --now "$1.timer"
    systemctl stop "$1.service"
  fi
  rm -f "$UNITS/$1.timer" "$UNITS/$1.service"
  systemctl daemon-reload
}
