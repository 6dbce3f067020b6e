#!/usr/bin/env bash
#
# Exit code 0 when no meeting runs here and no relay is in use, or when nobody can tell; else 1. For the unit of
# automatic upgrades.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

found=$(in_use)
if [[ -n $found ]]; then
  echo "$found: automatic upgrades wait"
  exit 1
fi
