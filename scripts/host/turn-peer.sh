#!/usr/bin/env bash
#
# Holds a pool's server as a peer of coturn, so that its meetings keep their relays until it is gone: an update that is to remove
# it leaves it out of the peers long before.
#
# --node: full name of the server. --addresses: its addresses, separated by blanks. --turn: id of this host's server.
# --remove: lets it go, before its address is released, which a stranger may get.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "node=! addresses= turn= remove" "$@"
file=$STATE/turn-peers/${flag[node]}
request=$STATE/turn-access/request

need_root
if [[ -z ${flag[remove]:-} ]]; then
  put_file "$file" 644 root:root < <(tr ' ' '\n' <<<"${flag[addresses]}") || (($? == 10))
  progress "coturn relays to ${flag[node]} for as long as that is there"
  exit 0
fi
rm -f "$file"
if [[ -e $request ]]; then /bin/bash "$LIB/turn-access.sh" --server "$(<"$STATE/turn-access/server")" <"$request"; fi
progress "coturn relays no more to ${flag[node]}"
