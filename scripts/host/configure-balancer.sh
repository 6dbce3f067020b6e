#!/usr/bin/env bash
#
# Runs Scalelite with the settings from standard input, as three services, and with the pool that it is to serve. A server of the
# pool that an earlier update was to remove, and that is to stay after all, gets new meetings again. A former secret of the
# front ends is taken for two days more.
#
# --api-image, --poller-image, --importer-image: Scalelite's images.
# --nodes: full names of the pool's servers, separated by blanks; one that has no member yet comes with its own step.
# --servers: their number, as the setting has it. --drain-minutes: what a server waits for the end of its meetings, before its removal
#   or work on it. --max-unavailable: how many may be out of the pool for work at once.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "api-image=! poller-image=! importer-image=! nodes=! servers=! drain-minutes=! max-unavailable=!" "$@"
own=$STATE/balancer
secrets="$LIB/balancer_secrets.py"
environment=$ROOT/etc/bbb-deploy/scalelite.env
leases=$ROOT/usr/local/lib/bbb-deploy-lease
# shellcheck source=scripts/host/addition.sh
. "$LIB/addition.sh"

# unit NAME IMAGE: all have the recordings, but for the poller. An import that runs is finished.
unit() {
  local mounted="RequiresMountsFor=/var/bigbluebutton" options=" --volume /var/bigbluebutton:/var/bigbluebutton --stop-timeout 120"
  if [[ $1 == poller ]]; then mounted="" options=""; fi
  cat <<HERE
[Unit]
Description=Scalelite: $1
Wants=network-online.target docker.service redis-server.service postgresql.service
After=network-online.target docker.service redis-server.service postgresql.service
$mounted

[Service]
ExecStartPre=-/usr/bin/docker rm --force scalelite-$1
ExecStart=/usr/bin/docker run --rm --name scalelite-$1 --network host --env-file $environment$options $2
ExecStop=-/usr/bin/docker stop scalelite-$1
TimeoutStopSec=140
Restart=always
RestartSec=3

[Install]
WantedBy=multi-user.target
HERE
}

# What Redis has lost, Scalelite gets again by itself.
service_unit() {
  cat <<HERE
[Unit]
Description=Give Scalelite the servers of the pool
After=bbb-deploy-scalelite-api.service

[Service]
Type=oneshot
ExecStart=$PYTHON -B $LIB/pool.py apply
Nice=10
HERE
}

timer_unit() {
  cat <<HERE
[Unit]
Description=Give Scalelite the servers of the pool

[Timer]
OnBootSec=1min
OnUnitInactiveSec=5min

[Install]
WantedBy=timers.target
HERE
}

lease_unit() {
  cat <<HERE
[Unit]
Description=Let servers leave the pool for work
After=network.target

[Service]
ExecStart=$PYTHON -B $leases/lease_service.py
Restart=always
RestartSec=3

[Install]
WantedBy=multi-user.target
HERE
}

run_leases() {
  local name again=""
  # Copies: the scripts of the deployment are replaced while it runs.
  for name in lease_service.py json_service.py node_recordings.py node_state.py pool.py pool_lease.py ssh_session.py whole_files.py; do
    if changed put_file "$leases/$name" 755 root:root <"$LIB/$name"; then again=yes; fi
  done
  if changed put_file "$UNITS/bbb-deploy-lease.service" 644 root:root < <(lease_unit); then again=yes; fi
  systemctl daemon-reload
  systemctl enable --quiet bbb-deploy-lease
  if [[ -n $again ]]; then systemctl restart bbb-deploy-lease; else systemctl start bbb-deploy-lease; fi
}

# The host's own part: nobody else has these secrets.
whole_environment() {
  cat
  printf 'DATABASE_URL=postgresql://scalelite:%s@127.0.0.1:5432/scalelite\n' "$(<"$own/database-password")"
  printf 'REDIS_URL=redis://127.0.0.1:6379\nSECRET_KEY_BASE=%s\n' "$(<"$own/secret-key-base")"
}

put_unit() { # NAME IMAGE
  if changed put_file "$UNITS/bbb-deploy-scalelite-$1.service" 644 root:root < <(unit "$1" "$2"); then restart=yes; fi
}

healthy() {
  curl --silent --fail --max-time 5 -o /dev/null http://127.0.0.1:3000/health_check
}

migrate() {
  docker rm --force scalelite-migration >/dev/null 2>&1 || true
  docker run --rm --name scalelite-migration --network host --env-file "$environment" "${flag[api-image]}" bin/rake db:migrate
}

need_root
restart=""
text=$("$PYTHON" -B "$secrets" take) || fail "the settings of Scalelite could not be taken, for the reason above"
if changed put_file "$environment" 600 root:root < <(whole_environment <<<"$text"); then restart=yes; fi
put_unit api "${flag[api-image]}"
put_unit poller "${flag[poller-image]}"
put_unit recording-importer "${flag[importer-image]}"
if [[ -n $restart ]]; then : >"$own/restart"; fi
systemctl daemon-reload
if [[ $(cat "$own/migrated" 2>/dev/null) != "${flag[api-image]}" ]]; then
  progress "preparing Scalelite's database"
  retry 3 migrate || fail "Scalelite's database could not be prepared: see the log"
  put_file "$own/migrated" 644 root:root <<<"${flag[api-image]}" || (($? == 10))
  : >"$own/restart"
fi
for name in api poller recording-importer; do
  systemctl enable --quiet "bbb-deploy-scalelite-$name"
  if [[ -e $own/restart ]]; then
    systemctl restart "bbb-deploy-scalelite-$name"
  else
    systemctl start "bbb-deploy-scalelite-$name"
  fi
done
wait_until 120 healthy || {
  journalctl --no-pager -u bbb-deploy-scalelite-api -n 20 || true
  fail "Scalelite does not answer: see journalctl -u bbb-deploy-scalelite-api"
}
rm -f "$own/restart"
"$PYTHON" -B "$LIB/pool_recordings.py" adopt | show || progress "note: not all recordings that are here are known to Scalelite; the next update tries it again"
put_file "$own/servers" 644 root:root <<<"${flag[servers]}" || (($? == 10))
put_file "$own/drain-minutes" 644 root:root <<<"${flag[drain-minutes]}" || (($? == 10))
put_file "$own/max-unavailable" 644 root:root <<<"${flag[max-unavailable]}" || (($? == 10))
put_file "$own/nodes" 644 root:root <<<"${flag[nodes]}" || (($? == 10))
read -r -a nodes <<<"${flag[nodes]}"
"$PYTHON" -B "$LIB/pool.py" keep "${nodes[@]}" | show || fail "the pool could not be given to Scalelite: see the log"
run_leases
put_timer bbb-deploy-pool
start_timer bbb-deploy-pool
until=$("$PYTHON" -B "$secrets" end)
end_former_secret bbb-deploy-scalelite-secret "the front ends" "$until" "$PYTHON -B $secrets retire"
progress "Scalelite answers"
