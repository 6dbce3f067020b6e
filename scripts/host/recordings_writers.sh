# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that read this file use what it sets
#
# Functions that stop and start what writes to the places of recordings: BigBlueButton, or on the balancer of a pool what takes
# the recordings of its servers. To be sourced after lib.sh.

is_balancer() { [[ -d $STATE/balancer ]]; }

if is_balancer; then writers="Scalelite" stop_by_hand="systemctl stop bbb-deploy-collect.timer 'bbb-deploy-scalelite-*' nginx"; else writers="BigBlueButton" stop_by_hand="bbb-conf --stop"; fi

balancer_writers=(bbb-deploy-collect.timer bbb-deploy-collect.service bbb-deploy-scalelite-recording-importer.service bbb-deploy-scalelite-api.service nginx.service)

stop_writers() {
  if is_balancer; then timeout 300 systemctl stop "${balancer_writers[@]}"; else timeout 300 bbb-conf --stop </dev/null; fi
}

start_writers() {
  local unit
  if ! is_balancer; then
    timeout 300 bbb-conf --start </dev/null
    return
  fi
  # The fetching itself begins by its timer.
  for unit in "${balancer_writers[@]}"; do
    if [[ $unit != bbb-deploy-collect.service ]] && systemctl cat "$unit" >/dev/null 2>&1; then timeout 300 systemctl start "$unit"; fi
  done
}
