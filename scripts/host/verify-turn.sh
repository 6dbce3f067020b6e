#!/usr/bin/env bash
#
# Whether the deployment works, asked on the TURN host: BigBlueButton as it is seen from outside, and this TURN server's
# own relay. Standard input: the TURN secret.
#
# --untrusted-ca: browsers don't know the certificates' authority.
#
# Time limit: 900 s
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "bbb-host=! hostname=! untrusted-ca" "$@"
failed=0

check() {
  local before=$failed status=0 output line
  output=$("$@" 2>&1) || status=$?
  while IFS= read -r line; do
    progress "$line"
    if [[ $line == FAIL* ]]; then failed=$((failed + 1)); fi
  done <<<"$output"
  if ((status != 0 && failed == before)); then
    failed=$((failed + 1))
    progress "FAIL  $1 ${2:-} ended with $status"
  fi
}

check_coturn() {
  if [[ $(systemctl is-active coturn) != active ]]; then
    echo "FAIL  coturn — $(systemctl is-active coturn) — 0 s"
    echo "      to do: journalctl -u coturn says why; then systemctl restart coturn"
    return 1
  fi
  echo "ok    coturn — active since $(systemctl show -p ActiveEnterTimestamp --value coturn) — 0 s"
}

check_renewal() {
  if ! cmp -s "/etc/letsencrypt/live/${flag[hostname]}/fullchain.pem" /etc/turnserver/fullchain.pem; then
    echo "FAIL  certificate of coturn — not the one that certbot keeps — 0 s"
    echo "      to do: run /etc/letsencrypt/renewal-hooks/deploy/bbb-deploy-coturn"
    return 1
  fi
  if [[ $(systemctl is-active certbot.timer) != active ]]; then
    echo "FAIL  certificate renewal — certbot.timer is $(systemctl is-active certbot.timer) — 0 s"
    echo "      to do: systemctl enable --now certbot.timer"
    return 1
  fi
  echo "ok    certificate renewal — by certbot.timer — 0 s"
}

need_root
IFS= read -r turn_secret || fail "the TURN secret is missing on standard input"
bbb_address=$(getent ahostsv4 "${flag[bbb-host]}" | awk 'NR == 1 {print $1}') || true
if [[ -z $bbb_address ]]; then fail "${flag[bbb-host]} has no IPv4 address that this host could find: see resolvectl query ${flag[bbb-host]}"; fi
check check_coturn
check check_renewal
check "$PYTHON" "$LIB/api_check.py" deployment --hostname "${flag[bbb-host]}" --unsigned ${flag[untrusted-ca]:+--untrusted-ca} </dev/null
check "$PYTHON" "$LIB/turn_check.py" --turn-host "${flag[hostname]}" --peer "$bbb_address" <<<"$turn_secret"
if ((failed > 0)); then fail "$failed check(s) failed; mend what they name, then run pulumi up again"; fi
progress "${flag[bbb-host]} answers, and ${flag[hostname]} relays to it"
