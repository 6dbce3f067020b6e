#!/usr/bin/env bash
#
# Offers this host's numbers to Prometheus over HTTPS, for whoever has the token. The BigBlueButton server: bigbluebutton-exporter
# and node_exporter on loopback, behind nginx. The TURN server: node_exporter at a port of its own, with coturn's relays among its
# numbers. A pool's balancer: node_exporter on loopback, behind nginx, with the pool's servers among its numbers. Standard input: the token, and on the BigBlueButton server below it the API's secret.
#
# --server: id of the server. With --remove, of the one that had the metrics: a new one keeps its own.
# --role, --hostname: bbb, turn or balancer, and its name.
# --networks: networks that alone may ask nginx, separated by commas; the TURN server's are the cloud's firewall's matter.
# --exporter-url, --exporter-sha256: archive with bigbluebutton-exporter, and the hash of its program files.
# --remove: takes all of it away.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "server=! role= hostname= networks= exporter-url= exporter-sha256= remove" "$@"
OWN=$STATE/metrics
# shellcheck source=scripts/host/addition.sh
. "$LIB/addition.sh"
CODE=$ROOT/usr/local/lib/bigbluebutton-exporter
SNIPPET=$ROOT/etc/bigbluebutton/nginx/bbb-deploy-metrics.nginx
# install-balancer.sh has the balancer's site read it.
BALANCER_SNIPPET=$ROOT/etc/bbb-deploy/balancer-nginx/metrics.nginx
if [[ ${flag[role]:-} == balancer || -e $BALANCER_SNIPPET ]]; then SNIPPET=$BALANCER_SNIPPET; fi
WEB=$ROOT/etc/bbb-deploy/metrics-web.yml
DROP_IN=$UNITS/prometheus-node-exporter.service.d/50-bbb-deploy.conf
NUMBERS=$ROOT/var/lib/prometheus/node-exporter/bbb-turn.prom
POOL_NUMBERS=$ROOT/var/lib/prometheus/node-exporter/bbb-pool.prom

# --- node_exporter ------------------------------------------------------------------------------------------------

# Meetings come first, whoever asks and however often.
node_exporter_drop_in() { # OPTION…
  cat <<HERE
[Service]
Nice=10
CPUQuota=25%
ExecStart=
ExecStart=/usr/bin/prometheus-node-exporter $*
HERE
  # For the certificate, as coturn reads it.
  if [[ ${flag[role]} == turn ]]; then echo "SupplementaryGroups=turnserver"; fi
}

# Comes before the package, which would start it for everybody, and without a password.
configure_node_exporter() { # OPTION…
  if changed put_file "$DROP_IN" 644 root:root < <(node_exporter_drop_in "$@"); then
    systemctl daemon-reload
    : >"$OWN/restart-node-exporter"
  fi
  if ! installed prometheus-node-exporter; then : >"$OWN/node-exporter-is-ours"; fi
}

start_node_exporter() {
  systemctl enable --quiet prometheus-node-exporter.service
  if [[ -e $OWN/restart-node-exporter ]] || ! systemctl is-active --quiet prometheus-node-exporter.service; then
    progress "starting node_exporter"
    systemctl restart prometheus-node-exporter.service || fail "node_exporter did not start: see journalctl -u prometheus-node-exporter"
  fi
  rm -f "$OWN/restart-node-exporter"
}

# --- BigBlueButton server -----------------------------------------------------------------------------------------

hash_of_code() { # DIRECTORY
  (cd "$1" 2>/dev/null && sha256sum -- *.py 2>/dev/null | sha256sum | cut -d' ' -f1) || true
}

fetch_exporter() {
  local url=${flag[exporter-url]} wanted=${flag[exporter-sha256]} found archive=$OWN/exporter.tar.gz
  progress "fetching bigbluebutton-exporter"
  retry 5 curl --fail --silent --show-error --location --max-time 120 --output "$archive" "$url" ||
    fail "bigbluebutton-exporter could not be fetched from $url: check the setting metrics.exporterUrl and the host's way to the internet"
  rm -rf "$CODE.new"
  mkdir -p "$CODE.new"
  tar -xzf "$archive" -C "$CODE.new" --no-same-owner --strip-components=2 --wildcards '*/bbb-exporter/*.py' ||
    fail "what $url gives is no archive of bigbluebutton-exporter: check the setting metrics.exporterUrl"
  rm "$archive"
  found=$(hash_of_code "$CODE.new")
  if [[ $found != "$wanted" ]]; then
    rm -rf "$CODE.new"
    fail "the programs in $url have sha256 $found, not $wanted: they were changed since they were checked. Read what changed, then set metrics.exporterUrl and metrics.exporterSha256 to what you trust"
  fi
  chmod -R u=rwX,go=rX "$CODE.new"
  rm -rf "$CODE"
  mv -T "$CODE.new" "$CODE"
}

# Recordings are counted on the disk, which spares the API its most expensive calls.
exporter_settings() { # SECRET
  printf '{"API_BASE_URL": "https://%s/bigbluebutton/api/", "API_SECRET": "%s",\n' "${flag[hostname]}" "$1"
  printf ' "BIND_IP": "127.0.0.1", "PORT": "9688", "RECORDINGS_METRICS_READ_FROM_DISK": "true", "BBB_VERSION_READ_FROM_DISK": "true"}\n'
}

# systemd opens the file with the secret, which the service itself could not.
exporter_unit() {
  cat <<HERE
[Unit]
Description=BigBlueButton's numbers for Prometheus
Wants=network-online.target
After=network-online.target nss-lookup.target

[Service]
DynamicUser=yes
StandardInput=file:$OWN/exporter.json
StandardOutput=journal
ExecStart=/usr/bin/python3 -B $LIB/metrics_exporter.py $CODE
ProtectHome=yes
PrivateDevices=yes
Nice=10
CPUQuota=25%
MemoryMax=256M
Restart=always
RestartSec=10

[Install]
WantedBy=multi-user.target
HERE
}

run_exporter() { # SECRET
  local restart=""
  apt_install python3-prometheus-client python3-requests python3-xmltodict
  if [[ $(hash_of_code "$CODE") != "${flag[exporter-sha256]}" ]]; then
    fetch_exporter
    restart=yes
  fi
  if changed put_file "$OWN/exporter.json" 600 root:root < <(exporter_settings "$1"); then restart=yes; fi
  if changed put_file "$UNITS/bigbluebutton-exporter.service" 644 root:root < <(exporter_unit); then
    systemctl daemon-reload
    restart=yes
  fi
  systemctl enable --quiet bigbluebutton-exporter.service
  if [[ -n $restart ]] || ! systemctl is-active --quiet bigbluebutton-exporter.service; then
    progress "starting bigbluebutton-exporter"
    systemctl restart bigbluebutton-exporter.service || fail "bigbluebutton-exporter did not start: see journalctl -u bigbluebutton-exporter"
  fi
}

location_of() { # NAME PORT TOKEN
  local network
  printf 'location = /metrics/%s {\n' "$1"
  if [[ -n ${flag[networks]:-} ]]; then
    for network in 127.0.0.1 ${flag[networks]//,/ }; do printf '  allow %s;\n' "$network"; done
    printf '  deny all;\n'
  fi
  cat <<HERE
  if (\$http_authorization != "Bearer $3") { return 401; }
  proxy_pass http://127.0.0.1:$2/metrics;
  proxy_set_header Authorization "";
  access_log off;
}
HERE
}

locations() { # TOKEN
  echo "# Written by the deployment, for the setting metrics."
  if [[ ${flag[role]} == bbb ]]; then location_of bigbluebutton 9688 "$1"; fi
  location_of host 9100 "$1"
}

reload_nginx() {
  timeout 120 systemctl reload nginx || fail "nginx was not reloaded: see journalctl -u nginx"
}

serve() { # TOKEN
  local before=$OWN/snippet
  rm -f "$before"
  cp -p "$SNIPPET" "$before" 2>/dev/null || true
  if ! changed put_file "$SNIPPET" 640 root:root < <(locations "$1"); then return 0; fi
  if ! nginx -t 2>&1; then
    if [[ -e $before ]]; then mv "$before" "$SNIPPET"; else rm -f "$SNIPPET"; fi
    fail "nginx takes no such configuration, so it stays as it was: mostly another file in ${SNIPPET%/*} is about /metrics also, which grep -rn 'location = /metrics' ${SNIPPET%/*} shows. Remove that part there, then run pulumi up again"
  fi
  reload_nginx
  rm -f "$before"
}

# --- TURN server --------------------------------------------------------------------------------------------------

# Ubuntu's coturn is built without its own support for Prometheus.
relays_unit() {
  cat <<HERE
[Unit]
Description=Relays of coturn in use, for Prometheus

[Service]
ExecStart=/bin/bash $LIB/metrics_turn.sh $NUMBERS
ProtectSystem=full
ProtectHome=yes
Nice=10
Restart=always
RestartSec=10

[Install]
WantedBy=multi-user.target
HERE
}

web_settings() { # TOKEN
  local hash
  hash=$("$PYTHON" -B "$LIB/metrics_password.py" "$WEB" <<<"$1") || fail "the password of node_exporter could not be hashed: see the log"
  cat <<HERE
# Written by the deployment, for the setting metrics.
tls_server_config:
  cert_file: $ROOT/etc/turnserver/fullchain.pem
  key_file: $ROOT/etc/turnserver/privkey.pem
basic_auth_users:
  metrics: $hash
HERE
}

protect_node_exporter() { # TOKEN
  local text
  text=$(web_settings "$1")
  if changed put_file "$WEB" 640 root:prometheus <<<"$text"; then : >"$OWN/restart-node-exporter"; fi
}

measure_relays() {
  mkdir -p "${NUMBERS%/*}"
  if changed put_file "$UNITS/bbb-turn-metrics.service" 644 root:root < <(relays_unit); then
    systemctl daemon-reload
    systemctl enable --quiet bbb-turn-metrics.service
    systemctl restart bbb-turn-metrics.service
  else
    systemctl enable --quiet --now bbb-turn-metrics.service
  fi
}

# --- balancer -----------------------------------------------------------------------------------------------------

# Asking Scalelite costs more than what it tells.
pool_unit() {
  cat <<HERE
[Unit]
Description=Servers of the pool, for Prometheus
After=bbb-deploy-scalelite-api.service

[Service]
ExecStart=$PYTHON -B $LIB/pool_metrics.py $POOL_NUMBERS
Nice=19
Restart=always
RestartSec=30

[Install]
WantedBy=multi-user.target
HERE
}

measure_pool() {
  mkdir -p "${POOL_NUMBERS%/*}"
  if changed put_file "$UNITS/bbb-pool-metrics.service" 644 root:root < <(pool_unit); then systemctl daemon-reload; fi
  systemctl enable --quiet bbb-pool-metrics.service
  # Its code is this step's, which runs again when that changes.
  systemctl restart bbb-pool-metrics.service
}

# --- all ----------------------------------------------------------------------------------------------------------

answers() { # TOKEN
  findings=$("$PYTHON" -B "$LIB/metrics_check.py" "${flag[role]}" "${flag[hostname]}" <<<"$1" 2>&1)
}

set_up() {
  local token="" secret="" findings=""
  IFS= read -r token || fail "the token is missing on standard input"
  (umask 077 && mkdir -p "$OWN")
  note_server
  if [[ ${flag[role]} == bbb ]]; then
    IFS= read -r secret || fail "the API's secret is missing on standard input"
    configure_node_exporter --web.listen-address=127.0.0.1:9100
    apt_install prometheus-node-exporter
    start_node_exporter
    run_exporter "$secret"
    serve "$token"
  elif [[ ${flag[role]} == balancer ]]; then
    configure_node_exporter --web.listen-address=127.0.0.1:9100 "--collector.textfile.directory=${POOL_NUMBERS%/*}"
    apt_install prometheus-node-exporter python3-yaml
    start_node_exporter
    measure_pool
    serve "$token"
  else
    configure_node_exporter --web.listen-address=:9100 "--web.config.file=$WEB" "--collector.textfile.directory=${NUMBERS%/*}"
    apt_install prometheus-node-exporter python3-bcrypt
    protect_node_exporter "$token"
    start_node_exporter
    measure_relays
  fi
  wait_until "${BBB_DEPLOY_PATIENCE:-60}" answers "$token" || fail "the metrics do not answer as they should: $findings"
  progress "metrics are on: $findings"
}

remove_node_exporter() {
  rm -f "$DROP_IN" "$WEB" "$NUMBERS" "$POOL_NUMBERS"
  rmdir "${DROP_IN%/*}" 2>/dev/null || true
  systemctl daemon-reload
  if ! installed prometheus-node-exporter; then return 0; fi
  if [[ -e $OWN/node-exporter-is-ours ]]; then
    retry 3 apt purge prometheus-node-exporter || fail "apt-get could not remove prometheus-node-exporter: ${failure_reason:-look for the reason in the log}"
  else
    systemctl restart prometheus-node-exporter.service
  fi
}

remove_metrics() {
  local unit
  if of_newer_server; then
    progress "the metrics are those of a newer server: they stay"
    return 0
  fi
  if [[ -e $SNIPPET ]]; then
    rm "$SNIPPET"
    reload_nginx
  fi
  for unit in bigbluebutton-exporter.service bbb-turn-metrics.service bbb-pool-metrics.service; do
    if [[ -e $UNITS/$unit ]]; then
      systemctl disable --now "$unit"
      rm "$UNITS/$unit"
    fi
  done
  remove_node_exporter
  rm -rf "$OWN" "$CODE"
  progress "metrics are off"
}

need_root
if [[ -n ${flag[remove]:-} ]]; then remove_metrics; else set_up; fi
