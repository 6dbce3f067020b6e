#!/usr/bin/env bash
#
# On a BigBlueButton server of a pool: has nginx tell the balancer what runs here, and give it the recordings, by node_state.py.
#
# --formats: formats of recordings, separated by blanks. --raw-days: days for which a recording stays here after the balancer
#   has it. --published-days: days after which it goes from here in any case, once the balancer has it.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "formats=! raw-days= published-days=" "$@"
unit=bbb-deploy-node-state.service
snippet=$ROOT/etc/bigbluebutton/nginx/bbb-deploy-state.nginx
code=$ROOT/usr/local/lib/bbb-deploy-state
UNITS=${BBB_DEPLOY_UNITS:-$ROOT/etc/systemd/system}

service() {
  cat <<HERE
[Unit]
Description=State and recordings of this server, for the balancer of its pool
After=network.target

[Service]
ExecStart=$PYTHON -B $code/node_state.py --serve
ProtectSystem=strict
StateDirectory=bbb-deploy-node
ProtectHome=yes
PrivateTmp=yes
Restart=always
RestartSec=3

[Install]
WantedBy=multi-user.target
HERE
}

location() {
  cat <<'HERE'
# Written by the deployment, for the balancer of the pool.
location /bbb-deploy/ {
  proxy_pass http://127.0.0.1:9689;
  proxy_read_timeout 60s;
  proxy_buffering off;
  client_max_body_size 16k;
}
HERE
}

settings() {
  printf '%s\n' "${flag[formats]}" "${flag[raw-days]:-}" "${flag[published-days]:-}" | "$PYTHON" -c '
import json, sys
formats, raw, published = sys.stdin.read().split("\n")[:3]
print(json.dumps({"formats": formats.split(), "rawDays": int(raw or 14), "publishedDays": int(published) if published else None}))'
}

prune() {
  printf '#!/bin/sh\n# Written by the deployment.\nexec %s -B /usr/local/lib/bbb-deploy-state/node_recordings.py prune\n' "$PYTHON"
}

answers() {
  "$PYTHON" -B "$code/node_state.py" --ask >/dev/null
}

need_root
restart=""
# A copy: the scripts of the deployment are replaced while it runs.
for file in node_state.py node_recordings.py json_service.py; do
  if changed put_file "$code/$file" 755 root:root <"$LIB/$file"; then restart=yes; fi
done
put_file "$ROOT/etc/bbb-deploy/node-recordings.json" 644 root:root < <(settings) || (($? == 10))
put_file "$ROOT/etc/cron.daily/bbb-deploy-arrived" 755 root:root < <(prune) || (($? == 10))
if changed put_file "$UNITS/$unit" 644 root:root < <(service); then restart=yes; fi
systemctl daemon-reload
systemctl enable --quiet "$unit"
if [[ -n $restart ]]; then systemctl restart "$unit"; else systemctl start "$unit"; fi
if changed put_file "$snippet" 644 root:root < <(location); then
  nginx -t || {
    rm "$snippet"
    fail "nginx takes no such configuration, so it stays as it was: see the log"
  }
  timeout 120 systemctl reload nginx || fail "nginx was not reloaded: see journalctl -u nginx"
fi
wait_until "${BBB_DEPLOY_PATIENCE:-60}" answers || fail "this server does not tell its state: see journalctl -u $unit"
progress "the balancer can ask what runs here"
