# Stand-in for BigBlueButton's helpers for /etc/bigbluebutton/bbb-conf/apply-config.sh.
# shellcheck shell=bash disable=SC2034

BBB_WEB_CONFIG=/usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties
BBB_WEB_ETC_CONFIG=/etc/bigbluebutton/bbb-web.properties HTML5_CONFIG=/etc/bigbluebutton/bbb-html5.yml
IFS=' :/' read -r PROTOCOL HOST _ <<<"$(sed -n 's|^bigbluebutton.web.serverURL=\(https*\)://|\1 |p' $BBB_WEB_ETC_CONFIG)"
IP=$(hostname -I | cut -d' ' -f1)

# Opens SSH to everybody each time it is called, whatever was closed in the meantime.
enableUFWRules() {
  local rule
  printf '  - %s\n' "Enable Firewall and opening 22/tcp, 80/tcp, 443/tcp and 16384:32768/udp"
  if ! command -v ufw >/dev/null; then
    echo "    (stand-in: no ufw on this host, nothing was opened or closed)"
    return 0
  fi
  for rule in OpenSSH "Nginx Full" 16384:32768/udp; do ufw allow "$rule"; done
  if systemctl is-active --quiet haproxy; then ufw allow 3478; fi
  ufw --force enable
}

enableHTML5ClientLog() {
  echo "  - HTML5 client log (stand-in: there is none)"
}
