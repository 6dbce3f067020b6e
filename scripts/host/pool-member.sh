#!/usr/bin/env bash
#
# On a pool's balancer: takes a BigBlueButton server into the pool, and waits until the balancer has found it online. Standard
# input: its name and its secret, as pool.py reads them.
#
# --remove: takes it out again. It gets no new meetings, and this waits for the end of those that it has; the server itself says
#   which, not the balancer. Ends with 1 if some go on after the minutes of the setting drainMinutes: the server must not go then.
# --server, --balancer: ids of the two servers at the cloud: with another one, this runs again. --type: the server's type, likewise.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "node=! server= balancer= type= remove" "$@"
own=$STATE/balancer

need_root
# Others of the pool's servers may come and go meanwhile, as may other steps: this is the lock that `step` took.
flock --unlock 9 2>/dev/null || true
member=$(cat)
if [[ -z ${flag[remove]:-} ]]; then
  "$PYTHON" -B "$LIB/pool.py" join "${flag[node]}" <<<"$member" | show
  exit 0
fi
change=servers=$(cat "$own/servers" 2>/dev/null || true)
anyway=()
if allowed_during_meetings "$change"; then anyway=(--anyway); fi
"$PYTHON" -B "$LIB/pool.py" leave "${flag[node]}" --minutes "$(cat "$own/drain-minutes" 2>/dev/null || echo 30)" ${anyway[@]+"${anyway[@]}"} | show
if ((${#anyway[@]})); then changes_done "$change"; fi
