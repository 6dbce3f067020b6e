#!/usr/bin/env bash
#
# Puts the files of the setting branding where nginx serves them, before BigBlueButton's configuration names them. What was
# there before stays until then: wire.sh removes it. Standard input: as branding.py reads it. nginx is reloaded, never
# restarted.
#
# --staging: folder into which the files came from the machine that deploys.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "staging=!" "$@"
snippet=$ROOT/etc/bigbluebutton/nginx/bbb-deploy-branding.nginx
reload=$STATE/branding/reload

need_root
mkdir -p "$STATE/branding" "${snippet%/*}"
document=$(mktemp "$STATE/branding/document.XXXXXX")
before=$(mktemp "$STATE/branding/before.XXXXXX")
trap 'rm -f "$document" "$before"' EXIT
cat >"$document"

"$PYTHON" "$LIB/branding.py" place --root "${ROOT:-/}" --staging "$ROOT${flag[staging]}" <"$document" 2>&1 ||
  fail "the files of the setting branding could not be put in place, for the reason above"

cp -p "$snippet" "$before" 2>/dev/null || rm -f "$before"
if changed put_file "$snippet" 644 root:root < <("$PYTHON" "$LIB/branding.py" nginx <"$document"); then
  touch "$reload"
  if ! nginx -t 2>&1; then
    if [[ -e $before ]]; then cp -p "$before" "$snippet"; else rm -f "$snippet"; fi
    rm -f "$reload"
    fail "nginx takes no such configuration, so it stays as it was: mostly another file in /etc/bigbluebutton/nginx is about / or /favicon.ico also, which grep -rn 'location = /' /etc/bigbluebutton/nginx shows. Remove that part there, then run pulumi up again"
  fi
fi
if [[ -e $reload ]]; then
  progress "reloading nginx"
  timeout 120 systemctl reload nginx || fail "nginx was not reloaded: see journalctl -u nginx"
  rm -f "$reload"
fi
progress "the files of the setting branding are served"
