#!/usr/bin/env bash
#
# Gives BigBlueButton its shared secret, its TURN servers and the keys of its own configuration that the settings have
# values for. Standard input: as wire_files.py reads it. Writes only what changed, and restarts only what reads it. It avoids
# `bbb-conf --setsecret`, in whose arguments anybody on the host could read the secret.
#
# --xml-path: file from which this release reads its TURN servers.
# --settings: "meetings=meetings-3f9a2c41 …": groups of settings, each with a text that changes with its value, for
#   duringMeetings.
# --rotate-shared-secret, --rotate-turn-secret, --upgrade: those settings. Restarts happen even during meetings if
#   duringMeetings is a new value of one of them, or a text of --settings.
# --balancer, --node: names of a pool's balancer and of this server; it leaves the pool for a restart.
# --branding-files: there are files of the setting branding; without it those of before are removed.
# --put-back: restarts it during meetings also, after an installer that was allowed to.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/host/leave-pool.sh
. "$LIB/leave-pool.sh"
# shellcheck source=scripts/host/save-state.sh
. "$LIB/save-state.sh"

parse_flags "xml-path=! settings= rotate-shared-secret= rotate-turn-secret= upgrade= branding-files put-back balancer= node=" "$@"
read -r -a groups <<<"${flag[settings]:-}"
changes=("rotateSharedSecret=${flag[rotate-shared-secret]:-}" "rotateTurnSecret=${flag[rotate-turn-secret]:-}" "upgrade=${flag[upgrade]:-}")
pending=$STATE/wire/pending
record=$STATE/owned-keys.json
local_api=${BBB_DEPLOY_API:-http://127.0.0.1:8090}

recreate_containers() { # DIRECTORY
  # `restart` would not read .env again.
  if docker compose version >/dev/null 2>&1 || ! command -v docker-compose >/dev/null; then
    (cd "$1" && timeout 300 docker compose up -d)
  else
    (cd "$1" && timeout 300 docker-compose up -d)
  fi
}

# Workers of recordings, which finish first what they are at.
drain() {
  local said
  said=$("$PYTHON" -B "$LIB/recording_workers.py" </dev/null) || return
  progress "$said"
}

# A timer that runs if its file is there.
set_timer() { # UNIT
  if [[ -e $ROOT/etc/systemd/system/$1 ]]; then
    systemctl enable --quiet "$1"
    systemctl restart "$1" || fail "$1 did not start: see journalctl -u $1"
  else
    systemctl stop "$1" 2>/dev/null || true
    rm -f "$ROOT/etc/systemd/system/timers.target.wants/$1"
  fi
}

restart_pending() {
  local what
  if [[ ! -s $pending ]]; then
    progress "nothing to restart"
    return 0
  fi
  if grep -Fxq daemon-reload "$pending"; then systemctl daemon-reload; fi
  while IFS= read -r what; do
    case $what in
      reload:*) progress "reloading ${what#reload:}" ;;
      drain:* | timer:*) ;;
      *) progress "restarting ${what#compose:}" ;;
    esac
    case $what in
      drain:*) drain || fail "${what#drain:} did not start: see journalctl -u ${what#drain:}" ;;
      timer:*) set_timer "${what#timer:}" ;;
      reload:*) timeout 300 systemctl reload "${what#reload:}" || fail "${what#reload:} takes no such configuration: see journalctl -u ${what#reload:}" ;;
      compose:*) recreate_containers "$ROOT${what#compose:}" </dev/null || fail "the containers in ${what#compose:} did not start: see the log, and docker compose logs there" ;;
      *) timeout 300 systemctl restart "$what" || fail "$what did not start: see journalctl -u $what" ;;
    esac
  done < <(sort -u "$pending" | grep -Fxv daemon-reload)
}

# settings_changed <NAMES: puts the groups of settings that would end meetings before the other changes, and the settings
# into `what`. One that was taken back has no text of its own any more.
settings_changed() {
  local name group text names=""
  while IFS= read -r name; do
    if [[ -z $name || $name == wiring ]]; then continue; fi
    group=${name%%.*}
    names+=", $name"
    text=$(printf '%s\n' "${groups[@]}" | sed -n "s/^$group=//p")
    if [[ " ${changes[*]} " != *" $group="* ]]; then changes=("$group=${text:-$group-none}" "${changes[@]}"); fi
  done
  if [[ -n $names ]]; then what+=" (${names#, })"; fi
}

# Whether a new secret is asked for.
rotates() {
  new_text "rotateSharedSecret=${flag[rotate-shared-secret]:-}" || new_text "rotateTurnSecret=${flag[rotate-turn-secret]:-}"
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
files=("$PYTHON" "$LIB/wire_files.py" --root "${ROOT:-/}" --xml-path "${flag[xml-path]}" --record "$record")
ending=$("${files[@]}" --dry-run <"$input/input" 2>/dev/null) || true
what="a restart of BigBlueButton with its new settings"
settings_changed <<<"$ending"
if [[ -n $ending && -z ${flag[put-back]:-} ]]; then
  once_empty "$what" "${changes[@]}"
fi
if [[ -z ${flag[put-back]:-} && -e $STATE/wire/written ]] && rotates; then save_state "the new secret"; fi
"${files[@]}" --pending "$pending" <"$input/input" 2>&1 ||
  fail "the shared secret, the TURN servers and the settings could not be written, for the reason above"
restart_pending

# Files of the setting branding that no key names any more, now that BigBlueButton has its new configuration.
tidy_branding() {
  local snippet=$ROOT/etc/bigbluebutton/nginx/bbb-deploy-branding.nginx
  if [[ -n ${flag[branding-files]:-} ]]; then
    "$PYTHON" "$LIB/branding.py" tidy --root "${ROOT:-/}"
  elif [[ -e $snippet || -e $STATE/branding.json ]]; then
    progress "removing the files of the setting branding"
    rm -f "$snippet"
    timeout 120 systemctl reload nginx || fail "nginx was not reloaded: see journalctl -u nginx"
    "$PYTHON" "$LIB/branding.py" remove --root "${ROOT:-/}"
  fi
}

signed_call_succeeds() {
  "$PYTHON" "$LIB/api_check.py" signed --base "$local_api/bigbluebutton/api" <<<"$secret"
}
wait_until 300 api_answers "$local_api" || fail "bbb-web does not answer 5 minutes after its restart: see journalctl -u bbb-web and /var/log/bigbluebutton/bbb-web.log"
wait_until "${BBB_DEPLOY_PATIENCE:-30}" signed_call_succeeds || fail "bbb-web refuses calls signed with the shared secret: look at securitySalt in /etc/bigbluebutton/bbb-web.properties"
rm -f "$pending"
# For install-bbb.sh, which puts it back.
rm -rf "$STATE/wire/written"
mv "$input" "$STATE/wire/written"
# The texts of all groups, changed or not: none of them is new any more.
if [[ -z ${flag[put-back]:-} ]]; then
  tidy_branding
  changes_done "${groups[@]}" "${changes[@]}"
fi
progress "BigBlueButton has its TURN server, its shared secret and its settings"
