#!/usr/bin/env bash
#
# Brings a new server its backup, once, before it makes any of its own: restore.py does it. A server that was restored, or that has
# saved itself, is left as it is.
#
# --from: latest, or the id of a backup.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "from=!" "$@"
done=$STATE/restored

need_root
if [[ -e $done ]]; then
  progress "this server was restored already, and is left as it is: scripts/restore STACK does it by hand"
elif [[ -e $STATE/backup/last.json ]]; then
  progress "this server has saved itself already, so it is no new one, and is left as it is: scripts/restore STACK does it by hand"
else
  "$PYTHON" -B "$LIB/restore.py" first --from "${flag[from]}" | show ||
    fail "the server works, but is not restored, for the reason above. No backup is made of it until it is. Mend that, then run pulumi up again; or take out backup.restoreFrom to begin without"
  mkdir -p "$STATE"
  date -u +%FT%TZ >"$done"
fi
systemctl enable --now bbb-backup.timer
