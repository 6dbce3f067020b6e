#!/usr/bin/env bash
#
# Installs what BigBlueButton processes and plays further formats of recordings by, from its own archive. wire.sh puts
# them among the steps of a recording then. None is ever removed: recordings that are published in it need its player.
#
# --formats: with a blank between them, e.g. "video podcast".
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "formats=!" "$@"
read -r -a formats <<<"${flag[formats]}"

# Packages that the archive does not have, a line each.
unknown() {
  local format
  for format in "${formats[@]}"; do
    if ! apt_has "bbb-playback-$format"; then echo "bbb-playback-$format"; fi
  done
}

need_root
lacking=$(unknown)
if [[ -n $lacking ]]; then
  apt_update || fail "apt-get update failed: ${failure_reason:-look for the reason in the log, mostly a package mirror that can\'t be reached}. Then run pulumi up again"
  lacking=$(unknown)
fi
if [[ -n $lacking ]]; then
  fail "BigBlueButton's archive has no $(paste -sd' ' <<<"$lacking") for this release; nothing was installed. Take ${lacking//bbb-playback-/} out of the setting recordings.formats, then run pulumi up again"
fi
apt_install "${formats[@]/#/bbb-playback-}"
for format in "${formats[@]}"; do
  for stage in process publish; do
    if [[ ! -e $ROOT/usr/local/bigbluebutton/core/scripts/$stage/$format.rb ]]; then
      fail "the package bbb-playback-$format brings no $stage/$format.rb, so BigBlueButton would skip the format without a word. Take $format out of the setting recordings.formats, then run pulumi up again"
    fi
  done
done
progress "recordings can be published as ${formats[*]}"
