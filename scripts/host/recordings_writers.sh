# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that read this file use what it sets
#
# Functions that stop and start what writes to the places of recordings: BigBlueButton, or on the balancer of a pool what takes
# the recordings of its servers. To be sourced after lib.sh.

is_balancer() { [[ -d $STATE/balancer ]]; }

if is_balancer; then writers="Scalelite" stop_by_hand="systemctl stop bbb-deploy-collect.timer 'bbb-deploy-scalelite-*' nginx"; else writers="BigBlueButton" stop_by_hand="bbb-conf --stop"; fi

# A balancer that is not configured yet has not all of them.
each_writer() { # VERB
  local unit
  for unit in nginx.service bbb-deploy-scalelite-api.service bbb-deploy-scalelite-recording-importer.service bbb-deploy-collect.timer bbb-deploy-collect.service; do
    # The fetching itself begins by its timer.
    if [[ $1 == start && $unit == bbb-deploy-collect.service ]]; then continue; fi
    if systemctl cat "$unit" >/dev/null 2>&1; then timeout 300 systemctl "$1" "$unit" || return; fi
  done
}

stop_writers() {
  if is_balancer; then each_writer stop; else timeout 300 bbb-conf --stop </dev/null; fi
}

start_writers() {
  if is_balancer; then each_writer start; else timeout 300 bbb-conf --start </dev/null; fi
}
