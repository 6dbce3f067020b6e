# shellcheck shell=bash
#
# save_state WHAT: has the state saved before a change, where the setting backup is. A unit of its own does that: with the
# program itself among its files, a step would run again for each change of it. A storage that is down stops no change, since
# the last night's state is there. To be sourced after lib.sh.
save_state() {
  local unit=bbb-backup-state.service log=${BBB_DEPLOY_LOGS:-$ROOT/var/log/bbb-deploy}/backup.log reason
  if [[ ! -e ${BBB_DEPLOY_UNITS:-$ROOT/etc/systemd/system}/$unit ]]; then return 0; fi
  progress "saving the state before $1"
  if timeout 330 systemctl start "$unit"; then
    progress "the state is saved: scripts/backup list STACK shows it"
  else
    reason=$(sed -n 's/^.*> FAILED: //p' "$log" 2>/dev/null | tail -n 1) || true
    progress "note: the state is not saved before $1, which goes on, since earlier backups are there: ${reason:-see journalctl -u $unit}"
  fi
}
