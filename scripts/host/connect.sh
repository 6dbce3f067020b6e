#!/usr/bin/env bash
#
# connect ROLE TITLE USER
#
# The first step: installs the other steps' scripts, and brings the authorized keys of the account USER up to date. Comes on
# standard input, with calls of these functions behind it (steps/bundle.ts). Of ours there is nothing else on the host yet than
# the text that installs the scripts, which the program left there (steps/keep.ts).
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

# install_scripts SHA256: by the calls of install_script in a text of that digest.
install_scripts() {
  local calls=$state/installation
  if ! sha256sum --check --status <<<"$1  $calls" 2>/dev/null; then
    echo "error: $calls has not come as it was sent, before this step: run pulumi up again" >&2
    return 1
  fi
  # shellcheck source=/dev/null
  source "$calls"
  rm "$calls"
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
