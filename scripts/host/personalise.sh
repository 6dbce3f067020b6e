# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the scripts that read this file use what it sets, and their flags are used here
#
# Makes a server of a copy of an image. Read in by the scripts that install, after lib.sh; other hosts see nothing of it.

# Whether this run made the copy's own secrets.
personalised=""

personalise() {
  local said
  if [[ ! -e $ROOT/etc/bbb-deploy/image.json ]]; then return 0; fi
  said=$("$PYTHON" -B "$LIB/personalise.py" --root "${ROOT:-/}" --hostname "${flag[hostname]}") ||
    fail "this copy of an image did not get secrets of its own, for the reason in the log: run pulumi up again"
  if [[ -n $said ]]; then
    personalised=yes
    progress "$said"
  fi
}
