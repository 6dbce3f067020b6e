#!/usr/bin/env bash
#
# Installs coturn, which stays off until it is configured, and its certificate with a renewal that keeps calls alive.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/host/certbot.sh
. "$LIB/certbot.sh"
# shellcheck source=scripts/host/personalise.sh
. "$LIB/personalise.sh"

parse_flags "hostname=!" "$@"
hostname=${flag[hostname]}
hook=/etc/letsencrypt/renewal-hooks/deploy/bbb-deploy-coturn

# The package starts coturn with a configuration of no one's making: not on our host. Once ours is there it may.
hold_coturn() {
  if [[ ! -e $STATE/turn-configured ]]; then
    systemctl mask coturn.service
    systemctl stop coturn.service 2>/dev/null || true
  fi
}

drop_in() {
  cat <<HERE
[Unit]
Wants=network-online.target
After=network-online.target

[Service]
# 443 without root
AmbientCapabilities=CAP_NET_BIND_SERVICE
LimitNOFILE=262144
LogsDirectory=turnserver
LogsDirectoryMode=0750
Restart=always
RestartSec=2
# A database that is gone, as after a reinstallation, has neither peers nor a secret.
ExecStartPre=-+$PYTHON -B $LIB/turn_access.py restore
HERE
}

rotation() {
  cat <<'HERE'
/var/log/turnserver/*.log {
  su turnserver turnserver
  daily
  rotate 7
  maxsize 100M
  missingok
  notifempty
  compress
  delaycompress
  copytruncate
}
HERE
}

# Runs after each renewal. SIGUSR2 makes coturn read its certificate anew, without an end to its relays.
renewal_hook() {
  cat <<HERE
#!/bin/sh
# Written by the deployment: gives coturn the certificate of $hostname in files that it may read.
set -eu
lineage=/etc/letsencrypt/live/$hostname
if [ "\${RENEWED_LINEAGE:-\$lineage}" != "\$lineage" ]; then exit 0; fi
install -d -m 0750 -o root -g turnserver /etc/turnserver
for file in fullchain.pem privkey.pem; do
  install -m 0640 -o root -g turnserver "\$lineage/\$file" "/etc/turnserver/.\$file.new"
done
certificate=\$(openssl x509 -noout -pubkey -in /etc/turnserver/.fullchain.pem.new)
key=\$(openssl pkey -pubout -in /etc/turnserver/.privkey.pem.new)
if [ "\$certificate" != "\$key" ]; then
  echo "\$lineage: certificate and key don't belong together; coturn keeps those that it has" >&2
  exit 1
fi
mv /etc/turnserver/.fullchain.pem.new /etc/turnserver/fullchain.pem
mv /etc/turnserver/.privkey.pem.new /etc/turnserver/privkey.pem
if systemctl is-active --quiet coturn.service; then
  systemctl kill --signal=SIGUSR2 --kill-who=main coturn.service
fi
HERE
}

certificate_in_place() {
  local file=/etc/turnserver/fullchain.pem
  [[ -s $file && -s /etc/turnserver/privkey.pem ]] &&
    openssl x509 -noout -checkhost "$hostname" -in "$file" | grep -q 'does match' &&
    openssl x509 -noout -checkend 3600 -in "$file" >/dev/null
}

need_root
personalise
# shellcheck disable=SC2119 # no setting allows it here
restart_where_asked
hold_coturn
apt_install coturn openssl python3-aioice logrotate
# A mask of ours only: the package's own unit is enabled by configure-turn.sh.
put_file /etc/systemd/system/coturn.service.d/50-bbb-deploy.conf 644 root:root < <(drop_in) || (($? == 10))
systemctl daemon-reload
install -d -m 0750 -o turnserver -g turnserver /var/log/turnserver
put_file /etc/logrotate.d/bbb-deploy-coturn 644 root:root < <(rotation) || (($? == 10))

put_file "$hook" 755 root:root < <(renewal_hook) || (($? == 10))
if ! own_certificate_in_use "$hostname"; then
  apt_install certbot
  if [[ ! -s $live/$hostname/fullchain.pem ]]; then progress "asking for a certificate for $hostname"; fi
  request_certificate turn "$hostname" "$(account_email)" --keep-until-expiring ||
    fail "there is no certificate for $hostname, for the reason above; more is in /var/log/letsencrypt/letsencrypt.log on this host"
fi
# certbot runs it at renewals only.
"$hook"
certificate_in_place || fail "the certificate in /etc/turnserver is not for $hostname, or has run out: see certbot certificates"
retire_former_names "$hostname"
# shellcheck disable=SC2119 # no setting allows it here
restart_where_asked
progress "coturn $(dpkg-query -W -f '${Version}' coturn), certificate of $hostname valid until $(date -u -d "$(openssl x509 -noout -enddate -in /etc/turnserver/fullchain.pem | cut -d= -f2)" +%F)"
