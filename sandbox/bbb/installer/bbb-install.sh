#!/bin/bash -e
# BigBlueButton STAND-IN @LINE@: takes bbb-install's place where BigBlueButton's own packages can't be had.
#
# It has the command line, the checks and the messages of bbb-install.sh of this line, and its habits: the `-e` above
# has no effect (bash is given this file as an argument, and main runs in a || list), so that after the checks only
# err ends it, a failed apt-get or systemctl does not, and its exit code is that of its last command,
# `bbb-conf --check`, which is always 0. It prints its environment, replaces edited configuration files by
# dist-upgrade, rewrites the nginx site and turn-stun-servers.xml on every run, and takes the TURN secret as an
# argument. What is not here: what other package sources have, Docker, the local TURN server and haproxy, LTI, Keycloak.

usage() {
  cat 1>&2 <<HERE

Script for installing a STAND-IN for BigBlueButton @LINE@, which looks like a server to whoever deploys one.

USAGE:
    bash bbb-install.sh [OPTIONS]

OPTIONS (install the stand-in):

  -v <version>           Install given version (e.g. '@INSTALL_VERSION@') (required)
  -s <hostname>          Configure server with <hostname>
  -e <email>             Email for Let's Encrypt certbot
  -x                     Use Let's Encrypt certbot with manual DNS challenges
  -g                     Install Greenlight version 3 (stand-in)
  -k                     Install Keycloak version 20 (not in the stand-in)
  -t <key>:<secret>      Install the LTI framework (not in the stand-in)
  -c <hostname>:<secret> Configure with external coturn server at <hostname> using <secret>
  -m <link_path>         Create a Symbolic link from /var/bigbluebutton to <link_path>
  -p <host>[:<port>]     Use apt-get proxy at <host> (default port 3142)
  -r <host>              Use alternative apt repository
  -d                     Skip SSL certificates request (use provided certificates in /local/certs/)
  -w                     Install UFW firewall
  -j                     Go on even if not all requirements are met
  -i                     Go on even if Apache webserver is installed
  -b                     Harden sshd (4.0)
  -h                     Print help

HERE
}

main() {
  export DEBIAN_FRONTEND=noninteractive
  PACKAGE_REPOSITORY=mirror.sandbox.test/bbb
  LETS_ENCRYPT_OPTIONS=(--webroot --non-interactive)
  SOURCES_FETCHED=false
  GL3_DIR=~/greenlight-v3
  NGINX_FILES_DEST=/usr/share/bigbluebutton/nginx
  SERVLET_DIR=/usr/share/bbb-web
  BBB_WEB_ETC_CONFIG=/etc/bigbluebutton/bbb-web.properties

  need_x64

  while builtin getopts "hs:r:c:v:e:p:m:t:xgadwjikb" opt "${@}"; do
    case $opt in
      h)
        usage
        exit 0
        ;;
      s)
        HOST=$OPTARG
        if [ "$HOST" == "bbb.example.com" ]; then
          err "You must specify a valid hostname (not the hostname given in the docs)."
        fi
        ;;
      r)
        PACKAGE_REPOSITORY=$OPTARG
        ;;
      e)
        EMAIL=$OPTARG
        if [ "$EMAIL" == "info@example.com" ]; then
          err "You must specify a valid email address (not the email in the docs)."
        fi
        ;;
      x)
        LETS_ENCRYPT_OPTIONS=(--manual --preferred-challenges dns)
        ;;
      c)
        COTURN=$OPTARG
        check_coturn "$COTURN"
        ;;
      v)
        VERSION=$OPTARG
        ;;
      p)
        PROXY=$OPTARG
        if [[ $PROXY =~ : ]]; then
          echo "Acquire::http::Proxy \"http://$PROXY\";" >/etc/apt/apt.conf.d/01proxy
        else
          echo "Acquire::http::Proxy \"http://$PROXY:3142\";" >/etc/apt/apt.conf.d/01proxy
        fi
        ;;
      g)
        GREENLIGHT=true
        ;;
      k)
        INSTALL_KC=true
        ;;
      t)
        if [ "$OPTARG" == "MY_KEY:MY_SECRET" ]; then
          err "You must use a valid complex credentials for your LTI setup (not the ones in the example)."
        fi
        if [[ ! $OPTARG == *:* ]]; then
          err "You must respect the format <key>:<secret> when specifying your LTI credentials."
        fi
        LTI=true
        ;;
      a)
        err "Error: bbb-demo (API demos, '-a' option) were deprecated in BigBlueButton 2.6. Please use Greenlight or API MATE"
        ;;
      m)
        LINK_PATH=$OPTARG
        ;;
      d)
        PROVIDED_CERTIFICATE=true
        ;;
      w)
        # The client's configuration, not sshd's, as in the original.
        SSH_PORT=$(grep Port /etc/ssh/ssh_config | grep -v \# | sed 's/[^0-9]*//g')
        if [[ -n "$SSH_PORT" && "$SSH_PORT" != "22" ]]; then
          err "Detected sshd not listening to standard port 22 -- unable to install default UFW firewall rules.  See https://docs.bigbluebutton.org/2.2/customize.html#secure-your-system--restrict-access-to-specific-ports"
        fi
        UFW=true
        ;;
      b)
        HARDEN_SSH=true
        ;;
      j)
        SKIP_MIN_SERVER_REQUIREMENTS_CHECK=true
        ;;
      i)
        SKIP_APACHE_INSTALLED_CHECK=true
        ;;
      :)
        err "Missing option argument for -$OPTARG"
        ;;
      \?)
        usage_err "Invalid option: -$OPTARG" >&2
        ;;
    esac
  done

  if [ -n "$HOST" ]; then check_host "$HOST"; fi
  if [ -n "$VERSION" ]; then check_version "$VERSION"; fi
  if [ "$SKIP_APACHE_INSTALLED_CHECK" != true ]; then check_apache2; fi

  if [ -z "$VERSION" ] && [ -n "$COTURN" ]; then
    if [ -z "$EMAIL" ]; then err "Installing coturn needs an e-mail address for Let's Encrypt"; fi
    err "Installing coturn on a host of its own is not part of the stand-in (and broken in the original since 2.6)."
  fi

  if [ -z "$VERSION" ]; then
    usage
    exit 0
  fi

  if [ -n "$INSTALL_KC" ] && [ -z "$GREENLIGHT" ]; then
    err "Keycloak cannot be installed without Greenlight."
  fi

  say "this is the STAND-IN: it installs no BigBlueButton"
  env

  check_mem
  check_cpus
  check_ipv6

  need_pkg xmlstarlet
  get_IP "$HOST"
  need_ppa

  apt-get update
  apt-get -y -o Dpkg::Options::="--force-confdef" -o Dpkg::Options::="--force-confnew" dist-upgrade

  need_pkg bigbluebutton
  need_pkg bbb-html5

  # The original waits without an end for a package that failed to install.
  for ((waited = 0; waited < 60; waited++)); do
    if [ -f "$SERVLET_DIR/WEB-INF/classes/bigbluebutton.properties" ]; then break; fi
    sleep 1
    echo -n '.'
  done

  check_nat
  check_LimitNOFILE

  # After the packages made the directory: the link ends up inside it, as in the original.
  if [ -n "$LINK_PATH" ]; then
    ln -s "$LINK_PATH" "/var/bigbluebutton"
  fi

  if [ -n "$PROVIDED_CERTIFICATE" ]; then
    install_ssl
  elif [ -n "$HOST" ] && [ -n "$EMAIL" ]; then
    install_ssl
  fi

  configure_coturn

  apt-get auto-remove -y

  if [ -n "$UFW" ]; then setup_ufw; fi
  if [ -n "$HARDEN_SSH" ]; then harden_ssh; fi

  bbb-conf --setip "${HOST:-$IP}"

  if ! systemctl show-environment | grep LANG= | grep -q UTF-8; then
    systemctl set-environment LANG=C.UTF-8
  fi

  if [ -n "$LTI" ]; then say "the LTI framework is not part of the stand-in"; fi
  if [ -n "$GREENLIGHT" ]; then install_greenlight_v3; fi

  bbb-conf --check
}

say() {
  echo "bbb-install (stand-in): $1"
}

err() {
  say "$1" >&2
  exit 1
}

usage_err() {
  say "$1" >&2
  usage
  exit 1
}

check_root() {
  if [ $EUID != 0 ]; then err "You must run this command as root."; fi
}

check_mem() {
  if awk '$1~/MemTotal/ {exit !($2<3940000)}' /proc/meminfo; then
    echo "Your server should have (at least) 4 GB of memory."
    if [ "$SKIP_MIN_SERVER_REQUIREMENTS_CHECK" != true ]; then exit 1; fi
  fi
}

check_ipv6() {
  if [ ! -f /proc/net/if_inet6 ]; then
    echo "Your server does not support IPv6"
    if [ "$SKIP_MIN_SERVER_REQUIREMENTS_CHECK" != true ]; then exit 1; fi
  fi
}

check_cpus() {
  if [ "$(nproc --all)" -lt 4 ]; then
    echo "Your server needs to have (at least) 4 CPU cores (8 CPU cores recommended for production)."
    if [ "$SKIP_MIN_SERVER_REQUIREMENTS_CHECK" != true ]; then exit 1; fi
  fi
}

need_x64() {
  UNAME=$(uname -m)
  if [ "$UNAME" != "x86_64" ]; then err "You must run this command on a 64-bit server."; fi
}

# IP and, where the public address is not on an interface, INTERNAL_IP; a caller that sets IP is believed. What the
# original knows an EC2 host by, its product_uuid, a container has not: here it is the private address. The metadata
# service is asked in EC2's first manner, as by the original: where tokens are required it says nothing, and the private
# address is taken for the public one. Other clouds and the outside resolver are left out.
get_IP() {
  if [ -n "$IP" ]; then return 0; fi

  local device addresses external_ip nc_PID
  device=$(awk '$2 == 00000000 { print $1 }' /proc/net/route | head -1)
  addresses=$(LANG=C ip -4 -br address show dev "$device" | awk '{ $1=$2=""; print $0 }')
  read -r IP _ <<<"$addresses"
  IP=${IP/\/*/}
  if [ -z "$IP" ]; then read -r IP _ <<<"$(hostname -I)"; fi

  if [[ $IP =~ ^(10\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.) ]]; then
    external_ip=$(wget -qO- --timeout=5 --tries=1 http://169.254.169.254/latest/meta-data/public-ipv4)
  fi

  # Only where the external address leads back here (hairpin) is it believed.
  if [ -n "$external_ip" ] && [ "$IP" != "$external_ip" ]; then
    if which nginx >/dev/null; then systemctl stop nginx; fi
    need_pkg netcat-openbsd
    nc -l -p 443 >/dev/null 2>&1 &
    nc_PID=$!
    sleep 1
    if nc -zvw3 "$external_ip" 443 >/dev/null 2>&1; then
      INTERNAL_IP=$IP
      IP=$external_ip
      echo
      echo "  Detected this server has an internal/external IP address."
      echo
      echo "      INTERNAL_IP: $INTERNAL_IP"
      echo "    (external) IP: $IP"
      echo
    fi
    kill $nc_PID >/dev/null 2>&1
    if which nginx >/dev/null; then systemctl start nginx; fi
  fi

  if [ -z "$IP" ]; then err "Unable to determine local IP address."; fi
}

need_pkg() {
  check_root
  while command -v fuser >/dev/null && fuser /var/lib/dpkg/lock >/dev/null 2>&1; do
    echo "Sleeping for 1 second because of dpkg lock"
    sleep 1
  done

  if [ ! "$SOURCES_FETCHED" = true ]; then
    apt-get update
    SOURCES_FETCHED=true
  fi

  if ! dpkg -s "${@}" >/dev/null 2>&1; then
    LC_CTYPE=C.UTF-8 apt-get install -yq "${@}"
  fi
}

# The original adds package sources of others, whose keys come from a key server: one of its silent moments ends it.
need_ppa() {
  if [ -e /etc/apt/keyrings/stand-in.asc ]; then return 0; fi
  mkdir -p /etc/apt/keyrings
  if ! wget -q --timeout=5 --tries=1 -O /etc/apt/keyrings/stand-in.new "http://$PACKAGE_REPOSITORY/keyserver/stand-in.asc"; then
    err "Unable to setup PPA for stand-in: keyserver receive failed: No data"
  fi
  mv /etc/apt/keyrings/stand-in.new /etc/apt/keyrings/stand-in.asc
}

# Looks at the argument only: the Ubuntu release that it names is not compared with the host's.
check_version() {
  if ! echo "$1" | grep -Eq "@MATCH@"; then err "This script can only install BigBlueButton @LINE@ and is meant to be run on Ubuntu @UBUNTU@ (@CODENAME@) server."; fi
  DISTRO=${1%%-*}
  if ! wget -qS --spider "http://$PACKAGE_REPOSITORY/$1/dists/bigbluebutton-$DISTRO/Release.gpg" >/dev/null 2>&1; then
    err "Unable to locate packages for $1 at $PACKAGE_REPOSITORY."
  fi
  check_root
  echo "deb [trusted=yes] http://$PACKAGE_REPOSITORY/$VERSION bigbluebutton-$DISTRO main" >/etc/apt/sources.list.d/bigbluebutton.list
}

# Does something only while -s has not been read, that is for -c when it stands before -s.
check_host() {
  if [ -z "$PROVIDED_CERTIFICATE" ] && [ -z "$HOST" ]; then
    need_pkg bind9-dnsutils
    DIG_IP=$(dig +short "$1" | grep '^[.0-9]*$' | tail -n1)
    if [ -z "$DIG_IP" ]; then err "Unable to resolve $1 to an IP address using DNS lookup."; fi
    get_IP "$1"
    if [ "$DIG_IP" != "$IP" ]; then err "DNS lookup for $1 resolved to $DIG_IP but didn't match local $IP."; fi
  fi
}

check_coturn() {
  if ! echo "$1" | grep -q ':'; then err "Option for coturn must be <hostname>:<secret>"; fi

  COTURN_HOST=$(echo "$OPTARG" | cut -d':' -f1)
  COTURN_SECRET=$(echo "$OPTARG" | cut -d':' -f2)

  if [ -z "$COTURN_HOST" ]; then err "-c option must contain <hostname>"; fi
  if [ -z "$COTURN_SECRET" ]; then err "-c option must contain <secret>"; fi

  if [ "$COTURN_HOST" == "turn.example.com" ]; then
    err "You must specify a valid hostname (not the example given in the docs)"
  fi
  if [ "$COTURN_SECRET" == "1234abcd" ]; then
    err "You must specify a new password (not the example given in the docs)."
  fi

  check_host "$COTURN_HOST"
}

check_apache2() {
  if dpkg -l | grep -q apache2-bin; then
    echo "You must uninstall the Apache2 server first"
    if [ "$SKIP_APACHE_INSTALLED_CHECK" != true ]; then exit 1; fi
  fi
}

check_nat() {
  local conf=/opt/freeswitch/conf
  xmlstarlet edit --inplace --update '//X-PRE-PROCESS[@cmd="set" and starts-with(@data, "external_rtp_ip=")]/@data' --value "external_rtp_ip=$IP" $conf/vars.xml
  xmlstarlet edit --inplace --update '//X-PRE-PROCESS[@cmd="set" and starts-with(@data, "external_sip_ip=")]/@data' --value "external_sip_ip=$IP" $conf/vars.xml

  if [ -n "$INTERNAL_IP" ]; then
    # shellcheck disable=SC2016
    xmlstarlet edit --inplace --update '//param[@name="ext-rtp-ip"]/@value' --value '$${external_rtp_ip}' $conf/sip_profiles/external.xml
    # shellcheck disable=SC2016
    xmlstarlet edit --inplace --update '//param[@name="ext-sip-ip"]/@value' --value '$${external_sip_ip}' $conf/sip_profiles/external.xml
    ip addr add "$IP" dev lo
    if ! grep -q "$IP" /lib/systemd/system/dummy-nic.service >/dev/null 2>&1; then
      cat >/lib/systemd/system/dummy-nic.service <<HERE
[Unit]
Description=Configure dummy NIC for FreeSWITCH
Before=freeswitch.service
After=network.target

[Service]
ExecStart=/sbin/ip addr add $IP dev lo

[Install]
WantedBy=multi-user.target
HERE
      systemctl daemon-reload
      systemctl enable dummy-nic
      systemctl restart dummy-nic
    fi
  fi
}

check_LimitNOFILE() {
  if [ "$(nproc --all)" -gt 8 ]; then
    mkdir -p /etc/systemd/system/bbb-web.service.d
    printf '[Service]\nLimitNOFILE=8192\n' >/etc/systemd/system/bbb-web.service.d/override.conf
    systemctl daemon-reload
  fi
}

install_ssl() {
  local site=/etc/nginx/sites-available/bigbluebutton
  if ! grep -q "$HOST" /usr/local/bigbluebutton/core/scripts/bigbluebutton.yml; then
    bbb-conf --setip "$HOST"
  fi

  mkdir -p /etc/nginx/ssl

  if [ -z "$PROVIDED_CERTIFICATE" ]; then
    apt-get update
    need_pkg certbot
  fi

  if [ ! -f "/etc/letsencrypt/live/$HOST/fullchain.pem" ]; then
    if ! grep -q "$HOST" $site; then # make sure we can do the challenge
      cat <<HERE >$site
server {
  server_tokens off;
  listen 80;
  listen [::]:80;
  server_name $HOST;

  access_log  /var/log/nginx/bigbluebutton.access.log;

  # BigBlueButton landing page (stand-in).
  location / {
    root   /var/www/bigbluebutton-default/assets;
    try_files \$uri =404;
  }
}
HERE
      systemctl restart nginx
    fi

    if [ -z "$PROVIDED_CERTIFICATE" ]; then
      if ! certbot --email "$EMAIL" --agree-tos --rsa-key-size 4096 -w /var/www/bigbluebutton-default/assets/ \
        -d "$HOST" --deploy-hook "systemctl reload nginx" "${LETS_ENCRYPT_OPTIONS[@]}" certonly; then
        systemctl restart nginx
        err "Let's Encrypt SSL request for $HOST did not succeed - exiting"
      fi
    else
      mkdir -p "/etc/letsencrypt/live/$HOST/"
      ln -s /local/certs/fullchain.pem "/etc/letsencrypt/live/$HOST/fullchain.pem"
      ln -s /local/certs/privkey.pem "/etc/letsencrypt/live/$HOST/privkey.pem"
    fi
  fi

  cat <<HERE >$site
server {
  server_tokens off;
  listen 80;
  listen [::]:80;
  server_name $HOST;

  location ^~ / {
    return 301 https://\$server_name\$request_uri; #redirect HTTP to HTTPS
  }

  location ^~ /.well-known/acme-challenge/ {
    allow all;
    default_type "text/plain";
    root /var/www/bigbluebutton-default/assets;
  }

  location = /.well-known/acme-challenge/ {
    return 404;
  }
}

server {
  server_tokens off;
  listen 443 ssl http2;
  listen [::]:443 ssl http2;
  server_name $HOST;

  ssl_certificate /etc/letsencrypt/live/$HOST/fullchain.pem;
  ssl_certificate_key /etc/letsencrypt/live/$HOST/privkey.pem;
  ssl_session_cache shared:SSL:10m;
  ssl_session_timeout 10m;
  ssl_protocols TLSv1.2 TLSv1.3;

  access_log  /var/log/nginx/bigbluebutton.access.log;

  set \$real_scheme \$scheme;

  # BigBlueButton landing page (stand-in).
  location / {
    root   /var/www/bigbluebutton-default/assets;
    try_files \$uri @bbb-fe;
  }

  include /usr/share/bigbluebutton/nginx/*.nginx;
  include /etc/bigbluebutton/nginx/*.nginx;
}
HERE

  # Create the default Welcome page BigBlueButton Frontend unless it exists.
  if [[ ! -f $NGINX_FILES_DEST/default-fe.nginx && ! -f $NGINX_FILES_DEST/default-fe.nginx.disabled ]]; then
    cat <<HERE >$NGINX_FILES_DEST/default-fe.nginx
# Default landing page (stand-in).

location @bbb-fe {
  root /var/www/bigbluebutton-default/assets;
  index index.html index.htm;
  expires 1m;
}
HERE
  fi

  xmlstarlet edit --inplace --update '//param[@name="ws-binding"]/@value' --value "$IP:5066" /opt/freeswitch/conf/sip_profiles/external.xml
  sed -i 's/^bigbluebutton.web.serverURL=http:/bigbluebutton.web.serverURL=https:/g' "$SERVLET_DIR/WEB-INF/classes/bigbluebutton.properties"
  sed -i 's/^bigbluebutton.web.serverURL=http:/bigbluebutton.web.serverURL=https:/g' "$BBB_WEB_ETC_CONFIG"

  sed -i 's/^playback_protocol:.*/playback_protocol: https/' /usr/local/bigbluebutton/core/scripts/bigbluebutton.yml

  mkdir -p /etc/bigbluebutton/bbb-webrtc-sfu
  TARGET=/etc/bigbluebutton/bbb-webrtc-sfu/production.yml
  touch $TARGET
  @YQ@ e -i ".freeswitch.ip = \"$IP\"" $TARGET
  @YQ@ e -i ".freeswitch.sip_ip = \"$IP\"" $TARGET
  chown bigbluebutton:bigbluebutton $TARGET
  chmod 644 $TARGET
  @YQ@ e -i '.mediasoup.webrtc.listenIps[0].ip = "0.0.0.0"' $TARGET
  @YQ@ e -i ".mediasoup.webrtc.listenIps[0].announcedIp = \"$IP\"" $TARGET
  @YQ@ e -i '.mediasoup.plainRtp.listenIp.ip = "0.0.0.0"' $TARGET
  @YQ@ e -i ".mediasoup.plainRtp.listenIp.announcedIp = \"$IP\"" $TARGET

  systemctl reload nginx
}

configure_coturn() {
  TURN_XML=/etc/bigbluebutton/turn-stun-servers.xml

  if [ -z "$COTURN" ]; then
    say "without -c the original installs coturn and haproxy here; the stand-in has neither"
    COTURN_HOST=$HOST
    COTURN_SECRET=$(openssl rand -base64 32)
  fi

  cat <<HERE >$TURN_XML
<?xml version="1.0" encoding="UTF-8"?>
<beans xmlns="http://www.springframework.org/schema/beans"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xsi:schemaLocation="http://www.springframework.org/schema/beans
        http://www.springframework.org/schema/beans/spring-beans-2.5.xsd">
    <!-- Written by the stand-in for bbb-install, as by the original on every run. -->
    <bean id="turn0" class="org.bigbluebutton.web.services.turn.TurnServer">
        <constructor-arg index="0" value="$COTURN_SECRET"/>
        <constructor-arg index="1" value="turn:$COTURN_HOST:3478"/>
        <constructor-arg index="2" value="86400"/>
    </bean>
    <bean id="turn1" class="org.bigbluebutton.web.services.turn.TurnServer">
        <constructor-arg index="0" value="$COTURN_SECRET"/>
        <constructor-arg index="1" value="turns:$COTURN_HOST:443?transport=tcp"/>
        <constructor-arg index="2" value="86400"/>
    </bean>
    <bean id="stunTurnService" class="org.bigbluebutton.web.services.turn.StunTurnService">
        <property name="stunServers">
            <set>
            </set>
        </property>
        <property name="turnServers">
            <set>
                <ref bean="turn0"/>
                <ref bean="turn1"/>
            </set>
        </property>
    </bean>
</beans>
HERE

  chown root:bigbluebutton "$TURN_XML"
  chmod 640 "$TURN_XML"
}

setup_ufw() {
  if [ ! -f /etc/bigbluebutton/bbb-conf/apply-config.sh ]; then
    cat >/etc/bigbluebutton/bbb-conf/apply-config.sh <<HERE
#!/bin/bash

# Pull in the helper functions for configuring BigBlueButton
source /etc/bigbluebutton/bbb-conf/apply-lib.sh

enableUFWRules
HERE
    chmod +x /etc/bigbluebutton/bbb-conf/apply-config.sh
  fi
}

harden_ssh() {
  mkdir -p /etc/ssh/sshd_config.d
  echo "Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com" >/etc/ssh/sshd_config.d/bbb-hardening.conf
  systemctl restart ssh
}

# Replaces the value of a key of Greenlight's .env, or gives one to an empty key only. The value may be a secret, so
# that sed reads its script from a file.
set_env() { # KEY VALUE
  sed -i -f <(printf '%s' "s|^[# \t]*$1=.*|$1=$2|") $GL3_DIR/.env
}

set_env_once() { # KEY VALUE
  sed -i -f <(printf '%s' "s|^[# \t]*$1=[ \t]*\$|$1=$2|") $GL3_DIR/.env
}

install_greenlight_v3() {
  local url secret
  need_pkg bbb-greenlight-standin
  mkdir -p $GL3_DIR
  if [ ! -s $GL3_DIR/docker-compose.yml ]; then
    cp /usr/share/bbb-greenlight-standin/docker-compose.yml $GL3_DIR/docker-compose.yml
  fi
  if [ ! -s $GL3_DIR/.env ]; then
    install -m 0600 /usr/share/bbb-greenlight-standin/sample.env $GL3_DIR/.env
  fi
  cp -v $GL3_DIR/.env $GL3_DIR/.env.old && say "old .env file can be retrieved at $GL3_DIR/.env.old"

  url=$(bbb-conf --secret | sed -n 's/^ *URL: //p')
  secret=$(bbb-conf --secret | sed -n 's/^ *Secret: //p')
  set_env BIGBLUEBUTTON_ENDPOINT "$url"
  set_env BIGBLUEBUTTON_SECRET "$secret"
  set_env_once SECRET_KEY_BASE "$(openssl rand -hex 64)"
  set_env_once DATABASE_URL "postgres://postgres:$(openssl rand -hex 24)@postgres:5432/greenlight-v3-production"
  set_env_once REDIS_URL "redis://redis:6379/"

  cp /usr/share/bbb-greenlight-standin/greenlight-v3.nginx $NGINX_FILES_DEST/greenlight-v3.nginx && say "added greenlight-v3 nginx file"
  if [ -f $NGINX_FILES_DEST/default-fe.nginx ]; then
    mv $NGINX_FILES_DEST/default-fe.nginx $NGINX_FILES_DEST/default-fe.nginx.disabled && say "found default bbb-fe 'Welcome' and disabled it!"
  fi

  nginx -qt || err 'greenlight-v3 failed to install/update due to nginx tests failing to pass - if using the official image then please contact the maintainers.'
  nginx -qs reload && say 'greenlight-v3 was successfully configured'

  docker compose -f $GL3_DIR/docker-compose.yml down
  docker compose -f $GL3_DIR/docker-compose.yml up -d
  say "greenlight-v3 is now installed and accessible on: https://$HOST/"
  say "To create Greenlight administrator account, see: https://docs.bigbluebutton.org/greenlight/v3/install#creating-an-admin-account"
}

main "$@" || exit 1
