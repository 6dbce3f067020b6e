#!/usr/bin/env bash
#
# Gathers the recordings of a pool on its balancer: the places of Scalelite's importer, the player, and a timer that fetches
# what the servers have published. pool_recordings.py says how.
#
# --player-image: Scalelite's image that has the player, which nginx serves from a copy.
# --published-days: days after which a recording is deleted. @default never
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "player-image=! published-days=" "$@"
own=$STATE/balancer
player=$ROOT/usr/local/share/bbb-deploy-playback
expiry=$ROOT/etc/cron.daily/bbb-deploy-recordings
# The account in Scalelite's images, which is this number whatever the host's own accounts are.
scalelite=1000
# shellcheck source=scripts/host/addition.sh
. "$LIB/addition.sh"

# What came from another server may have other owners, of which Scalelite could move nothing.
make_places() {
  local base=$ROOT/var/bigbluebutton place
  mkdir -p "$base"/{published,unpublished,recording/scalelite,spool}
  chmod 755 "$base" "$base/published" "$base/recording"
  chmod 700 "$base/spool"
  for place in published unpublished recording/scalelite spool; do
    if [[ -z $ROOT ]]; then find "$base/$place" '(' ! -uid "$scalelite" -o ! -gid "$scalelite" ')' -exec chown -h "$scalelite:$scalelite" {} +; fi
  done
}

# The image that runs has it for nginx of its own.
copy_player() {
  local image=${flag[player-image]} id new=$player.new
  id=$(docker image inspect --format '{{.Id}}' "$image")
  if [[ $(cat "$own/player" 2>/dev/null) == "$id" && -d $player/playback ]]; then return 0; fi
  progress "copying the player of recordings from $image"
  docker rm --force bbb-deploy-player >/dev/null 2>&1 || true
  docker create --name bbb-deploy-player "$image" >/dev/null
  rm -rf "$new"
  mkdir -p "$new"
  docker cp bbb-deploy-player:/var/bigbluebutton/playback "$new" || fail "$image has no player of recordings in /var/bigbluebutton/playback"
  docker rm --force bbb-deploy-player >/dev/null
  chmod -R a+rX "$new"
  rm -rf "$player"
  mv -T "$new" "$player"
  put_file "$own/player" 644 root:root <<<"$id" || (($? == 10))
}

# Scalelite decides who may see what: it names a file to nginx only if its recording is published.
locations() {
  cat <<'HERE'
# Written by the deployment.
location /playback/presentation/2.3 {
  root /usr/local/share/bbb-deploy-playback;
  try_files $uri /playback/presentation/2.3/index.html;
}
location = /playback/presentation/2.0/playback.html {
  return 301 /playback/presentation/2.3/$arg_meetingId;
}
location ~ ^/playback/video/(.*)$ {
  return 307 /video/$1;
}
location ~ ^/recording/screenshare/(.*)$ {
  return 307 /screenshare/$1;
}
location ~ ^/(?:recording|presentation|video|screenshare|podcast|notes|capture)/ {
  proxy_pass http://127.0.0.1:3000;
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto https;
}
location /static-resource/ {
  internal;
  alias /var/bigbluebutton/published/;
  index index.html index.htm;
}
HERE
}

service_unit() {
  cat <<HERE
[Unit]
Description=Fetch the recordings of the pool's servers
After=network-online.target postgresql.service
RequiresMountsFor=/var/bigbluebutton

[Service]
Type=oneshot
ExecStart=$PYTHON -B $LIB/pool_recordings.py collect
Nice=10
IOSchedulingClass=idle
HERE
}

timer_unit() {
  cat <<HERE
[Unit]
Description=Fetch the recordings of the pool's servers

[Timer]
OnBootSec=2min
OnActiveSec=1min
OnUnitInactiveSec=1min
AccuracySec=5s

[Install]
WantedBy=timers.target
HERE
}

expire() {
  printf '#!/bin/sh\n# Written by the deployment.\nexec %s -B %s/pool_recordings.py expire --days %s\n' "$PYTHON" "$LIB" "${flag[published-days]}"
}

need_root
make_places
copy_player
if changed put_file "$ROOT/etc/bbb-deploy/balancer-nginx/recordings.conf" 644 root:root < <(locations); then : >"$own/reload-nginx"; fi
if [[ -e $own/reload-nginx ]]; then
  nginx -t || fail "nginx takes no such configuration: see the log"
  timeout 120 systemctl reload nginx || fail "nginx was not reloaded: see journalctl -u nginx"
  rm -f "$own/reload-nginx"
fi
if [[ -n ${flag[published-days]:-} ]]; then
  put_file "$expiry" 755 root:root < <(expire) || (($? == 10))
else
  rm -f "$expiry"
fi
put_timer bbb-deploy-collect
start_timer bbb-deploy-collect
progress "recordings come to /var/bigbluebutton: $(df --output=avail -BG "$ROOT/var/bigbluebutton" | tail -n 1 | tr -d ' ') free"
