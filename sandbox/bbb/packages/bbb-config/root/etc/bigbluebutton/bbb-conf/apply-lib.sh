# Stand-in for BigBlueButton's helpers for /etc/bigbluebutton/bbb-conf/apply-config.sh.
# shellcheck shell=bash disable=SC2034

HTML5_CONFIG=/etc/bigbluebutton/bbb-html5.yml
BBB_WEB_CONFIG=/usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties
BBB_WEB_ETC_CONFIG=/etc/bigbluebutton/bbb-web.properties
PROTOCOL=$(sed -n 's|^bigbluebutton.web.serverURL=\(https*\)://.*|\1|p' $BBB_WEB_ETC_CONFIG)
HOST=$(sed -n 's|^bigbluebutton.web.serverURL=https*://||p' $BBB_WEB_ETC_CONFIG)
IP=$(hostname -I | cut -d' ' -f1)

enableUFWRules() {
  echo "  - Enable Firewall and opening 22/tcp, 80/tcp, 443/tcp and 16384:32768/udp"
  if ! command -v ufw >/dev/null; then
    echo "    (stand-in: no ufw on this host, nothing was opened or closed)"
    return 0
  fi
  ufw allow OpenSSH
  ufw allow "Nginx Full"
  ufw allow 16384:32768/udp
  ufw --force enable
}

enableHTML5ClientLog() {
  echo "  - Enable HTML5 client log (stand-in: there is none)"
}
