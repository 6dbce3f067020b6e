#!/usr/bin/env bash
#
# Gives BigBlueButton its shared secret and its TURN servers. Standard input: the shared secret in the first line,
# turn-stun-servers.xml in the rest. Writes only what changed, and restarts only what reads it. It avoids `bbb-conf
# --setsecret`, in whose arguments anybody on the host could read the secret.
#
# --xml-path: file from which this release reads its TURN servers.
# --rotate-shared-secret, --rotate-turn-secret, --upgrade: those settings. Restarts happen even during meetings if
#   duringMeetings is a new value of one of them.
# --put-back: restarts it during meetings also, after an installer that was allowed to.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "xml-path=! rotate-shared-secret= rotate-turn-secret= upgrade= put-back" "$@"
changes=("rotateSharedSecret=${flag[rotate-shared-secret]:-}" "rotateTurnSecret=${flag[rotate-turn-secret]:-}" "upgrade=${flag[upgrade]:-}")
pending=$STATE/wire/pending
local_api=${BBB_DEPLOY_API:-http://127.0.0.1:8090}

recreate_containers() { # DIRECTORY
  # `restart` would not read .env again.
  if docker compose version >/dev/null 2>&1 || ! command -v docker-compose >/dev/null; then
    (cd "$1" && timeout 300 docker compose up -d)
  else
    (cd "$1" && timeout 300 docker-compose up -d)
  fi
}

restart_pending() {
  local what
  if [[ ! -s $pending ]]; then
    progress "nothing changed, nothing restarted"
    return 0
  fi
  while IFS= read -r what; do
    progress "restarting ${what#compose:}"
    case $what in
      compose:*) recreate_containers "$ROOT${what#compose:}" </dev/null || fail "the containers in ${what#compose:} did not start: see the log, and docker compose logs there" ;;
      *) timeout 300 systemctl restart "$what" || fail "$what did not start: see journalctl -u $what" ;;
    esac
  done < <(sort -u "$pending")
}

need_root
mkdir -p "${pending%/*}"
secret=""
IFS= read -r secret || fail "the shared secret is missing on standard input"
input=$(mktemp -d "$STATE/wire/input.XXXXXX")
trap 'rm -rf "$input"' EXIT
printf '%s\n' "${flag[xml-path]}" >"$input/xml-path"
{
  printf '%s\n' "$secret"
  cat
} >"$input/input"
would_write=$("$PYTHON" "$LIB/wire_files.py" --root "${ROOT:-/}" --xml-path "${flag[xml-path]}" --dry-run <"$input/input" 2>/dev/null) || true
if [[ -n $would_write && -z ${flag[put-back]:-} ]]; then
  refuse_while_in_use "a restart of BigBlueButton with its new settings" "${changes[@]}"
fi
"$PYTHON" "$LIB/wire_files.py" --root "${ROOT:-/}" --xml-path "${flag[xml-path]}" --pending "$pending" <"$input/input" 2>&1 ||
  fail "the shared secret and the TURN servers could not be written, for the reason above"
restart_pending

signed_call_succeeds() {
  "$PYTHON" "$LIB/api_check.py" signed --base "$local_api/bigbluebutton/api" <<<"$secret"
}
wait_until 300 api_answers "$local_api" || fail "bbb-web does not answer 5 minutes after its restart: see journalctl -u bbb-web and /var/log/bigbluebutton/bbb-web.log"
wait_until "${BBB_DEPLOY_PATIENCE:-30}" signed_call_succeeds || fail "bbb-web refuses calls signed with the shared secret: look at securitySalt in /etc/bigbluebutton/bbb-web.properties"
rm -f "$pending"
# For install-bbb.sh, which puts it back.
rm -rf "$STATE/wire/written"
mv "$input" "$STATE/wire/written"
if [[ -z ${flag[put-back]:-} ]]; then changes_done "${changes[@]}"; fi
progress "BigBlueButton has its TURN server and its shared secret"
