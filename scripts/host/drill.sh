#!/usr/bin/env bash
#
# Restores a backup to a test server, for a drill: drill.py does it. The request comes on standard input.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "" "$@"
need_root
apt_install restic openssh-client </dev/null
exec "$PYTHON" -B "$LIB/drill.py" restore >&3
