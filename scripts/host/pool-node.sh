#!/usr/bin/env bash
#
# On a BigBlueButton server of a pool: has nginx tell the balancer what runs here, by node_state.py.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "" "$@"
unit=bbb-deploy-node-state.service
snippet=$ROOT/etc/bigbluebutton/nginx/bbb-deploy-state.nginx
code=$ROOT/usr/local/lib/bbb-deploy-state
UNITS=${BBB_DEPLOY_UNITS:-$ROOT/etc/systemd/system}

service() {
  cat <<HERE
[Unit]
Description=State of this server, for the balancer of its pool
After=network.target

[Service]
ExecStart=$PYTHON -B $code/node_state.py --serve
ProtectSystem=strict
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
location = /bbb-deploy/state {
  proxy_pass http://127.0.0.1:9689;
  proxy_read_timeout 30s;
}
HERE
}

answers() {
  "$PYTHON" -B "$code/node_state.py" --ask >/dev/null
}

need_root
restart=""
# A copy: the scripts of the deployment are replaced while it runs.
if changed put_file "$code/node_state.py" 755 root:root <"$LIB/node_state.py"; then restart=yes; fi
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
