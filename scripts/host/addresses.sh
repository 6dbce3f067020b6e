# shellcheck shell=bash
# shellcheck disable=SC2154 # variables and flags are those of install-bbb.sh
#
# The addresses that BigBlueButton announces, where its installer leaves them wrong: above all behind a translation of
# addresses, as on EC2. Read in by install-bbb.sh, after lib.sh.

# The installer puts the public address on lo, too, where FreeSWITCH then listens for bbb-webrtc-sfu. Its unit fails where
# the address is there already, as when it starts right after that.
mend_dummy_nic() {
  if ! systemctl cat dummy-nic.service >/dev/null 2>&1; then return 0; fi
  if changed put_file "$ROOT/etc/systemd/system/dummy-nic.service.d/50-bbb-deploy.conf" 644 root:root <<HERE; then
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=
ExecStart=/sbin/ip address replace ${flag[ipv4]}/32 dev lo
HERE
    systemctl daemon-reload
  fi
  systemctl is-active --quiet dummy-nic || systemctl restart dummy-nic || fail "${flag[ipv4]} could not be put on lo: see journalctl -u dummy-nic"
}

# Behind a translation of addresses the next upgrade of bbb-freeswitch-core takes back what FreeSWITCH announces: so it
# looks after that whenever it starts.
announce_at_start() {
  if changed put_file "$ROOT/etc/systemd/system/freeswitch.service.d/50-bbb-deploy-addresses.conf" 644 root:root <<HERE; then
[Service]
ExecStartPre=-+$PYTHON -B $LIB/media_addresses.py --only freeswitch --public ${flag[ipv4]} --private ${flag[private-ipv4]}
HERE
    systemctl daemon-reload
  fi
}

# On a copy of an image, before anything runs there that would restart.
take_own_address() {
  "$PYTHON" -B "$LIB/media_addresses.py" --only freeswitch --public "${flag[ipv4]}" \
    ${flag[private-ipv4]:+--private "${flag[private-ipv4]}"} --root "${ROOT:-/}" ||
    fail "FreeSWITCH's address could not be set, for the reason above: mend that, then run pulumi up again"
}

# What the installer leaves wrong: addresses that the media servers announce, and the links of recordings.
mend_addresses() {
  local pending=$STATE/install-bbb/restart unit
  "$PYTHON" -B "$LIB/media_addresses.py" --public "${flag[ipv4]}" ${flag[private-ipv4]:+--private "${flag[private-ipv4]}"} \
    --root "${ROOT:-/}" --pending "$pending" ||
    fail "the media servers' addresses could not be set, for the reason above: mend that, then run pulumi up again"
  "$PYTHON" -B "$LIB/playback.py" --hostname "$hostname" --root "${ROOT:-/}" --pending "$pending" ||
    fail "the address in the links of recordings could not be set, for the reason above: mend that, then run pulumi up again"
  if [[ ! -s $pending ]]; then return 0; fi
  while IFS= read -r unit; do
    progress "restarting $unit, whose addresses were not those of $hostname"
    timeout 300 systemctl restart "$unit" || fail "$unit did not start: see journalctl -u $unit"
  done < <(sort -u "$pending")
  rm "$pending"
}
