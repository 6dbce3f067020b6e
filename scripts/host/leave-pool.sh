# shellcheck shell=bash
# shellcheck disable=SC2154 # flags are those of the script that reads this in
#
# What would end meetings, on a server that may be one of a pool's. Read in after lib.sh, by scripts with the flags balancer and node.

# once_empty WHAT SETTING=TEXT…: a pool's server leaves the pool for it, and waits until nothing runs on it; on any other, and on one that
# was not told to answer its balancer yet, the script ends where something does. One of these changes may end it.
once_empty() {
  local pair texts=()
  if [[ -z ${flag[balancer]:-} || ! -e ${BBB_DEPLOY_UNITS:-$ROOT/etc/systemd/system}/bbb-deploy-node-state.service ]]; then
    refuse_while_in_use "$@"
    return
  fi
  for pair in "${@:2}"; do
    if new_text "$pair"; then texts+=(--allowed-by "${pair#*=}"); fi
  done
  "$PYTHON" -B "$LIB/leave_pool.py" --balancer "${flag[balancer]}" --node "${flag[node]}" --what "$1" --how "$(how_to_allow "${@:2}")" \
    ${texts[@]+"${texts[@]}"} | show || exit 1
}
