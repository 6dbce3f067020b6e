#!/usr/bin/env bash
#
# Exit code 0 where no meeting runs here and no relay is in use, or where nobody can tell; 1 where one is. Asked by the unit
# of automatic upgrades.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

found=$(in_use)
if [[ -n $found ]]; then
  echo "$found: automatic upgrades wait"
  exit 1
fi
