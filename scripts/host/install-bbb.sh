#!/usr/bin/env bash
#
# Installs BigBlueButton, or upgrades it within its release, by the release's own bbb-install. The installer's exit code
# tells nothing, since it continues after most failures: the state afterwards counts.
#
# --installer-sha256: digest of the installer, if known.
# --installer-arguments: the installer's, by bigbluebutton/installer.ts, with a blank between them. EMAIL is replaced by the
#   address of the account at the certificate authority, and THROW-AWAY by a TURN secret to throw away, since command lines
#   can be read by everybody on the host; wire.sh writes the true one.
# --ipv4: the public address, told to the installer, which may find a wrong one: it asks an outside resolver for the name, and
#   takes another server, to which the name led before, for its own public address; on EC2 it asks the metadata service in a
#   way (IMDSv1) that gets no answer, and takes the private address for both.
# --private-ipv4: the interface's address, if it is not the public one.
# --balancer, --node: names of a pool's balancer and of this server; it leaves the pool for the installation.
# --upgrade: any text; a new one runs this again, even during meetings if duringMeetings is the same.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/host/certbot.sh
. "$LIB/certbot.sh"
# shellcheck source=scripts/host/leave-pool.sh
. "$LIB/leave-pool.sh"
# shellcheck source=scripts/host/installer.sh
. "$LIB/installer.sh"
# shellcheck source=scripts/host/addresses.sh
. "$LIB/addresses.sh"
# shellcheck source=scripts/host/personalise.sh
. "$LIB/personalise.sh"
# shellcheck source=scripts/host/save-state.sh
. "$LIB/save-state.sh"

parse_flags "installer-url=! installer-sha256= installer-arguments=! hostname=! ipv4=! private-ipv4= upgrade= balancer= node=" "$@"
change=upgrade=${flag[upgrade]:-}
hostname=${flag[hostname]}
read -r -a arguments <<<"${flag[installer-arguments]}"
installer=$STATE/install-bbb/bbb-install.sh
properties=$ROOT/etc/bigbluebutton/bbb-web.properties
# What is left of the time limit is for looking at what came of it.
deadline=3200
stopped=""
# Of the last run of the installer, in this run of the step.
ended=""
output=$STATE/install-bbb/output
# What apt says where it has not done what it was told. The installer goes on, and an upgrade that brought nothing looks
# like one that had nothing to bring. Of other package sources than BigBlueButton's, lists may be missing.
apt_failed="^(E: (Unable to fetch some archives|Could not get lock|Unable to acquire the dpkg|Unable to lock|You don't have enough free space|Sub-process .* returned an error|Unmet dependencies|Unable to correct problems)|[EW]: Failed to fetch [^ ]*/dists/bigbluebutton-)"
upgrading=""

# --- before ------------------------------------------------------------------------------------------------------

# Of this run, which may have had the host restarted since.
installed_mark=${BBB_DEPLOY_RUN:+$BBB_DEPLOY_RUN/installed}

# Ubuntu's own upgrades hold the locks of apt, and the installer does not wait for all of them.
timers=(apt-daily.timer apt-daily-upgrade.timer)
hold_automatic_upgrades() {
  systemctl stop "${timers[@]}" 2>/dev/null || true
  trap 'systemctl start "${timers[@]}" 2>/dev/null || true' EXIT
  if systemctl is-active apt-daily.service apt-daily-upgrade.service 2>/dev/null | grep -qE '^(active|activating)$'; then
    progress "waiting for the system's automatic upgrades to end"
    wait_until 1200 automatic_upgrades_ended || fail "the system's automatic upgrades did not end in 20 minutes: see journalctl -u apt-daily-upgrade, then run pulumi up again"
  fi
  # For the installer's apt-get, too, as in lib.sh's apt.
  put_file "$ROOT/etc/apt/apt.conf.d/90bbb-deploy" 644 root:root <<HERE || (($? == 10))
DPkg::Lock::Timeout "600";
Acquire::Retries::Delay "false";
HERE
}

automatic_upgrades_ended() {
  ! systemctl is-active apt-daily.service apt-daily-upgrade.service 2>/dev/null | grep -qE '^(active|activating)$'
}

# --- after -------------------------------------------------------------------------------------------------------

# What keeps this from being an installed BigBlueButton, a line each.
problems() {
  local broken said certificate=$ROOT/etc/letsencrypt/live/$hostname/fullchain.pem
  broken=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 'bbb-*' bigbluebutton 2>/dev/null |
    awk '/^i/ && !/^ii/ {print substr($0, 4)}' | paste -sd' ')
  if [[ -n $stopped ]]; then echo "$stopped"; fi
  if [[ -n $ended ]]; then
    # 1 is what it ends with where it gives up, after a line that says so; 0 says nothing.
    said=$(tail -n 5 "$output" | grep -E '^bbb-install[^:]*: ' | tail -n 1) || true
    if ((ended == 1)) && [[ -n $said ]]; then echo "the installer gave up: ${said#*: }"; fi
    said=$(grep -m 1 -E "$apt_failed" "$output") || true
    if [[ -n $upgrading && -n $said ]]; then echo "apt-get failed while the installer ran: $said"; fi
  fi
  if [[ -n $broken ]]; then echo "packages are only half installed: $broken"; fi
  if ! installed bbb-web || ! installed bbb-config || ! command -v bbb-conf >/dev/null; then
    echo "BigBlueButton's packages are not installed"
    return 0
  fi
  if [[ ! -s $certificate ]]; then
    echo "there is no certificate for $hostname: ${refusal:-see /var/log/letsencrypt/letsencrypt.log}"
  elif ! openssl x509 -noout -checkhost "$hostname" -in "$certificate" | grep -q 'does match'; then
    echo "the certificate in $certificate is not for $hostname"
  elif ! openssl x509 -noout -checkend 3600 -in "$certificate" >/dev/null; then
    echo "the certificate in $certificate has run out: see certbot renew"
  fi
  said=$(nginx -t 2>&1) || echo "nginx rejects its configuration: $(grep -m 1 -F '[emerg]' <<<"$said")"
  if ! wait_until 300 api_answers http://127.0.0.1:8090; then
    echo "bbb-web does not answer: see journalctl -u bbb-web and /var/log/bigbluebutton/bbb-web.log"
  fi
  if [[ " ${arguments[*]} " == *" -g "* ]] && ! wait_until "${BBB_DEPLOY_PATIENCE:-60}" greenlight_runs; then
    echo "Greenlight does not run: see docker ps --all; its image may be refused for a while (Docker Hub limits how many are fetched)"
  fi
}

# Whether it is of use to run the installer again, as far as the certificate goes. Where it got none for a reason that may
# be over in a moment, one is asked for here: that takes seconds, and the installer then goes on from there.
certificate_or_reason() { # SECONDS, since 1970: when the installer was started
  refusal="" unfinished=""
  if [[ -s $live/$hostname/fullchain.pem ]]; then return 0; fi
  may_ask_again "$1" || return
  if [[ -z $refusal ]] || ! installed bbb-config || ! installed certbot; then return 0; fi
  progress "the installer got no certificate: $refusal"
  sleep "${BBB_DEPLOY_PAUSE:-10}"
  unfinished=yes
  request_certificate bbb "$hostname" "$(account_email)"
}

greenlight_runs() {
  [[ $(docker ps 2>/dev/null) =~ bigbluebutton/greenlight|greenlight-v[23]([[:space:]]|$) ]]
}

# What wire.sh wrote last is put back in any case: the installer writes secrets of its own, and the next update may not
# come to the wiring.
put_back() {
  local wired=$STATE/wire/written
  if [[ ! -s $wired/input ]] || ! installed bbb-web; then return 0; fi
  note "putting the shared secret and the TURN servers back"
  bash "$LIB/wire.sh" --xml-path "$(<"$wired/xml-path")" --put-back <"$wired/input" 3>/dev/null ||
    progress "note: the shared secret and the TURN servers could not be put back, see the log; the next pulumi up does it"
}

# install_bbb: until it is installed. What is known to pass gets as many attempts as the time allows, what is not known
# one more, and what will not get better none.
install_bbb() {
  local attempt pause=${BBB_DEPLOY_PAUSE:-30} line began
  for ((attempt = 1; ; attempt++)); do
    apt_repair
    progress "running bbb-install ${arguments[*]:0:2} (20 to 30 minutes on a new server)"
    began=$(date +%s)
    run_installer
    if ! certificate_or_reason "$began"; then
      # Nothing else is as it should be before there is one.
      found="there is no certificate for $hostname: $refusal"
      return 0
    fi
    if [[ -n $unfinished ]]; then
      progress "there is a certificate now, which the installer ended for the lack of"
      continue
    fi
    found=$(problems)
    if [[ -z $found ]]; then return 0; fi
    classify <"$output"
    if [[ $failure_kind == final ]] || ((attempt == 6 || SECONDS + pause > deadline - 600)); then return 0; fi
    if [[ $failure_kind == unknown ]] && ((attempt > 1)); then return 0; fi
    progress "not installed yet; once more in $pause s${failure_reason:+, since ${failure_reason%%: *}}:"
    while IFS= read -r line; do progress "  - $line"; done <<<"$found"
    sleep "$pause"
    pause=$((pause * 2))
  done
}

need_root
personalise
if [[ -n $personalised ]]; then take_own_address; fi
if [[ ! -e $installed_mark ]]; then
  once_empty "the installation" "$change"
  # The time limit is for the installation alone.
  SECONDS=0
fi
hold_automatic_upgrades
if [[ ! -e $installed_mark ]]; then
  # An upgrade of the system may have come before: under another kernel than the one that is installed, AppArmor refuses
  # the installer's containers.
  restart_where_asked "$change"
  # wget: with it the installer looks whether its packages are there, and says that they are not where it is missing.
  apt_install curl wget ca-certificates openssl python3-yaml
  download_installer
  # The installer asks for a certificate where there is no file of one, by a certbot that would take another name.
  if [[ ! -s $live/$hostname/fullchain.pem ]]; then set_leftovers_aside "$hostname" && leave_leftovers "$hostname"; fi
  if installed bbb-web; then upgrading=yes; fi
  if [[ -n $upgrading ]]; then save_state "the upgrade"; fi
  install_bbb
  put_back
else
  found=$(problems)
fi
if [[ -n $found ]]; then
  progress "BigBlueButton is not installed as it should be:"
  while IFS= read -r line; do progress "  - $line"; done <<<"$found"
  if [[ -n ${failure_reason:-} ]]; then progress "  what the installer said means: $failure_reason"; fi
  fail "read what the installer said in /var/log/bbb-deploy/install-bbb.log on $hostname, then run pulumi up again"
fi
if ! own_certificate_in_use "$hostname" && ! certbot_knows "$hostname"; then
  request_certificate bbb "$hostname" "$(account_email)" ||
    fail "the certificate of $hostname works, but nobody renews it, since certbot does not know it and got no other, for the reason above"
  use_certificate bbb
fi
retire_former_names "$hostname"
fix_owners
if [[ -n ${flag[private-ipv4]:-} ]]; then
  mend_dummy_nic
  announce_at_start
fi
mend_addresses
if [[ -n $installed_mark ]]; then : >"$installed_mark"; fi
restart_where_asked "$change"
changes_done "$change"
progress "installed: BigBlueButton $(sed -n 's/^BIGBLUEBUTTON_RELEASE=//p' "$ROOT/etc/bigbluebutton/bigbluebutton-release" 2>/dev/null)"
