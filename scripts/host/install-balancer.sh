#!/usr/bin/env bash
#
# Installs what a pool's balancer is made of: PostgreSQL, Redis and docker, Scalelite's images, and nginx with the certificate.
#
# --images: Scalelite's images, separated by blanks. A tag can be moved: the id of what was pulled first is noted, and another
#   image under the same tag is refused.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/host/certbot.sh
. "$LIB/certbot.sh"

parse_flags "hostname=! images=!" "$@"
hostname=${flag[hostname]}
webroot=$ROOT/var/www/bigbluebutton-default
site=$ROOT/etc/nginx/sites-available/bbb-deploy-balancer
own=$STATE/balancer
# Of later steps, such as the metrics'.
additions=$ROOT/etc/bbb-deploy/balancer-nginx

# What Redis loses, the balancer forgets: all servers, and where each meeting is.
redis_settings() {
  cat <<'HERE'
# Written by the deployment.
bind 127.0.0.1
appendonly yes
appendfsync everysec
HERE
}

keep_redis() {
  local file=$ROOT/etc/redis/bbb-deploy.conf main=$ROOT/etc/redis/redis.conf
  if changed put_file "$file" 640 root:redis < <(redis_settings); then : >"$own/restart-redis"; fi
  if ! grep -qxF "include $file" "$main"; then
    printf '\n# Written by the deployment.\ninclude %s\n' "$file" >>"$main"
    : >"$own/restart-redis"
  fi
  systemctl enable --quiet redis-server
  if [[ -e $own/restart-redis ]]; then systemctl restart redis-server || fail "Redis did not start: see journalctl -u redis-server"; fi
  rm -f "$own/restart-redis"
}

as_postgres() {
  runuser -u postgres -- psql --quiet --no-psqlrc --tuples-only --no-align -v ON_ERROR_STOP=1 "$@"
}

# The password is this host's own: nothing else ever connects.
database() {
  local password
  systemctl enable --quiet --now postgresql
  wait_until 60 as_postgres -c 'SELECT 1' >/dev/null || fail "PostgreSQL does not answer: see journalctl -u postgresql"
  if [[ ! -s $own/database-password ]]; then (umask 077 && openssl rand -hex 24 >"$own/database-password"); fi
  if [[ ! -s $own/secret-key-base ]]; then (umask 077 && openssl rand -hex 64 >"$own/secret-key-base"); fi
  password=$(<"$own/database-password")
  if [[ -z $(as_postgres -c "SELECT 1 FROM pg_roles WHERE rolname = 'scalelite'") ]]; then as_postgres -c 'CREATE ROLE scalelite LOGIN'; fi
  as_postgres <<<"ALTER ROLE scalelite PASSWORD '$password'"
  if [[ -z $(as_postgres -c "SELECT 1 FROM pg_database WHERE datname = 'scalelite'") ]]; then as_postgres -c 'CREATE DATABASE scalelite OWNER scalelite'; fi
}

pull() { # IMAGE
  local image=$1 known id
  known=$own/images/$(tr '/:' '__' <<<"$image")
  if [[ -s $known && $(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null) == "$(<"$known")" ]]; then return 0; fi
  progress "fetching $image"
  retry 5 docker pull "$image" || fail "$image could not be fetched: ${failure_reason:-see the log}. Then run pulumi up again"
  id=$(docker image inspect --format '{{.Id}}' "$image")
  if [[ -s $known && $id != "$(<"$known")" ]]; then
    fail "$image is another image ($id) than the one that this host fetched first ($(<"$known")): somebody moved its tag. Find out who, before anything of it runs; to accept it: rm $known, then run pulumi up again"
  fi
  install -d "$own/images"
  put_file "$known" 644 root:root <<<"$id" || (($? == 10))
}

# --- nginx ---------------------------------------------------------------------------------------------------------

plain_server() {
  cat <<HERE
# Written by the deployment.
server {
  listen 80 default_server;
  listen [::]:80 default_server;
  server_name $hostname;
  location /.well-known/acme-challenge/ {
    root $webroot;
  }
  location / {
    return 301 https://$hostname\$request_uri;
  }
}
HERE
}

# A create with slides in it is as long as these.
tls_server() {
  cat <<HERE
server {
  listen 443 ssl default_server;
  listen [::]:443 ssl default_server;
  server_name $hostname;
  ssl_certificate $live/$hostname/fullchain.pem;
  ssl_certificate_key $live/$hostname/privkey.pem;
  ssl_protocols TLSv1.2 TLSv1.3;
  client_max_body_size 200m;
  include $additions/*.nginx;
  location = / {
    default_type text/plain;
    return 200 "This is the address of an API, for front ends such as Moodle.\n";
  }
  location = /health_check {
    proxy_pass http://127.0.0.1:3000;
    proxy_set_header Host \$host;
  }
  location = /bbb-deploy/lease {
    proxy_pass http://127.0.0.1:9690;
    proxy_read_timeout 300s;
    client_max_body_size 16k;
  }
  location /bigbluebutton/api {
    proxy_pass http://127.0.0.1:3000;
    proxy_set_header Host \$host;
    proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto https;
    proxy_read_timeout 120s;
  }
  include /etc/bbb-deploy/balancer-nginx/*.conf;
  location / {
    return 404;
  }
}
HERE
}

# put_site PART…: of the site, and nginx with it.
put_site() {
  local part
  if changed put_file "$site" 644 root:root < <(for part in "$@"; do "$part"; done); then : >"$own/reload-nginx"; fi
  rm -f "$ROOT/etc/nginx/sites-enabled/default"
  ln -sf "$site" "$ROOT/etc/nginx/sites-enabled/bbb-deploy-balancer"
  systemctl enable --quiet --now nginx
  if [[ -e $own/reload-nginx ]]; then
    nginx -t || fail "nginx takes no such configuration: see the log"
    systemctl reload nginx
  fi
  rm -f "$own/reload-nginx"
}

certificate() {
  if [[ -s $live/$hostname/fullchain.pem ]]; then return 0; fi
  put_site plain_server
  progress "asking for a certificate for $hostname"
  request_certificate bbb "$hostname" "$(account_email)" --keep-until-expiring ||
    fail "there is no certificate for $hostname, for the reason above; more is in /var/log/letsencrypt/letsencrypt.log on this host"
}

need_root
(umask 077 && mkdir -p "$own")
apt_install postgresql redis-server nginx docker.io python3-yaml openssl
keep_redis
database
for image in ${flag[images]}; do pull "$image"; done
mkdir -p "$webroot" "$additions"
if ! own_certificate_in_use "$hostname"; then certificate; fi
put_site plain_server tls_server
if ! own_certificate_in_use "$hostname"; then retire_former_names "$hostname"; fi
progress "Scalelite's images are here; certificate of $hostname valid until $(date -u -d "$(openssl x509 -noout -enddate -in "$live/$hostname/fullchain.pem" | cut -d= -f2)" +%F)"
