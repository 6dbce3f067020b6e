#!/usr/bin/env bash
#
# Makes a host fit to become an image: stops what serves, takes away all that is this host's own, and looks through the
# whole disk for what must not be in an image. `scripts/image bake` runs it, on a host that nobody needs any more: once it has
# begun, the host can't be logged in to again.
#
# --role, --release, --scripts, --built: of the image. Standard input: what the image must not have (image_seal.py).
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "role=! release=! scripts=! built=!" "$@"

stop_services() {
  local unit
  systemctl stop apt-daily.timer apt-daily-upgrade.timer certbot.timer cron.service unattended-upgrades.service 2>/dev/null || true
  for unit in bigbluebutton.target nginx haproxy coturn freeswitch redis-server mongod postgresql docker; do
    systemctl stop "$unit" 2>/dev/null || true
  done
  # What stops from now on leaves no line on the disk; nor does the seed of random numbers, which it would write at the end.
  install -d "$ROOT/run/systemd/journald.conf.d"
  printf '[Journal]\nStorage=none\n' >"$ROOT/run/systemd/journald.conf.d/bbb-deploy.conf"
  systemctl stop rsyslog.service syslog.socket systemd-random-seed.service 2>/dev/null || true
  systemctl restart systemd-journald.service 2>/dev/null || true
}

need_root
canaries=$(cat)
progress "stopping all services"
stop_services
if command -v cloud-init >/dev/null; then
  # Never with --machine-id, which makes a first boot of the next one, with systemd's presets for all services.
  cloud-init clean --logs --seed --configs all || cloud-init clean --logs --seed || note "cloud-init clean ended with $?"
fi
if [[ -e $ROOT/swapfile ]]; then swapoff "$ROOT/swapfile" 2>/dev/null || true; fi
apt-get clean
progress "taking away what is this host's own, and looking for what is left"
if ! left=$("$PYTHON" -B "$LIB/image_seal.py" --root "${ROOT:-/}" --role "${flag[role]}" --release "${flag[release]}" \
  --scripts "${flag[scripts]}" --built "${flag[built]}" <<<"$canaries"); then
  progress "this disk must not become an image:"
  show <<<"${left:-  image_seal.py failed, see above}"
  exit 1
fi
update-ca-certificates --fresh >/dev/null 2>&1 || true
sync
fstrim / 2>/dev/null || true
progress "sealed: nothing of this host is left on its disk"
# For scripts/image, in a line.
tr -d '\n' <"$ROOT/etc/bbb-deploy/image.json"
echo
