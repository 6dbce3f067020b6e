#!/usr/bin/env bash
#
# metrics_turn.sh FILE: writes how coturn is into FILE every 15 seconds, in Prometheus' form, for node_exporter.
set -euo pipefail

numbers() {
  local up=0
  if systemctl is-active --quiet coturn; then up=1; fi
  echo "# HELP turn_up 1 if coturn runs, 0 otherwise."
  echo "# TYPE turn_up gauge"
  echo "turn_up $up"
  echo "# HELP turn_relays Relays in use: UDP sockets of coturn's on the ports of its relays."
  echo "# TYPE turn_relays gauge"
  ss -Hanup | awk '/"turnserver"/ { port = $4; sub(/.*:/, "", port); if (port + 0 >= 32769) n++ } END { print "turn_relays " n + 0 }'
}

while :; do
  numbers >"$1.new"
  mv "$1.new" "$1"
  if [[ ${2:-} == once ]]; then exit 0; fi
  sleep 15
done
