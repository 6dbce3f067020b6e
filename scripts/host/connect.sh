#!/usr/bin/env bash
#
# connect ROLE TITLE USER
#
# The first step: brings the other steps' scripts onto the host, and the authorized keys of the account USER up to date. Comes on
# standard input, with calls of these functions behind it (steps/bundle.ts); nothing else of ours is on the host yet.
set -euo pipefail

lib=/usr/local/lib/bbb-deploy
state=/var/lib/bbb-deploy
role=$1 title=$2 user=$3
number=$(sed -n 's/^connect\.sh //p' "$state/numbers" 2>/dev/null) || true
label="[$role${number:+ $number}]"

end() {
  local status=$?
  if ((status)); then
    printf 'FAILED after %s s: %s %s\n' "$SECONDS" "$title" "$label"
  else
    printf 'done in %s s: %s %s\n' "$SECONDS" "$title" "$label"
  fi
}

# install_script NAME MODE <CONTENT
install_script() {
  install -D -m "$2" /dev/stdin "$lib/$1"
}

# Keys on standard input. Those that a former run put there and that are not wanted any more go; others are left alone.
authorize_keys() {
  local home group keys managed=$lib/authorized_keys
  home=$(getent passwd "$user" | cut -d: -f6)
  group=$(id -gn "$user")
  keys=$home/.ssh/authorized_keys
  install -d -m 700 -o "$user" -g "$group" "$home/.ssh"
  touch "$keys" "$managed"
  cat >"$managed.new"
  { cat "$managed" "$managed.new" | grep -vxFf - "$keys" || true; cat "$managed.new"; } >"$managed.all"
  install -m 600 -o "$user" -g "$group" "$managed.all" "$keys"
  mv "$managed.new" "$managed"
  rm "$managed.all"
}

printf '%s: started %s\n' "$title" "$label"
trap end EXIT
