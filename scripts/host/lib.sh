# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that read this file use what it sets
#
# Common part of the steps' scripts. `step` runs them, with:
#   standard output and error: the step's log on the host
#   file descriptor 3:         the operator's terminal, or else standard output
# BBB_DEPLOY_ROOT puts the files that a script changes below another directory, for tests.

ROOT=${BBB_DEPLOY_ROOT:-}
LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=${BBB_DEPLOY_STATE:-$ROOT/var/lib/bbb-deploy}
PYTHON=/usr/bin/python3
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
# Ubuntu's needrestart would restart services in the middle of an installation, ours among them.
export NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l

{ : >&3; } 2>/dev/null || exec 3>&1

# What ended a script that had no more to say; the command as it is written, not as it was expanded.
set -o errtrace
trap 'note "line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND ended with $?"' ERR

# A line for the log.
note() {
  printf '%s  %s\n' "$(date -u +%H:%M:%S)" "$*"
}

# A line for the operator, and for the log, where a ">" says that it was told. A cut connection must not end what runs:
# the next attempt waits for it.
progress() {
  note "> $*"
  (trap '' PIPE && printf '%s\n' "$*${BBB_DEPLOY_LABEL:+ [$BBB_DEPLOY_LABEL]}" >&3) 2>/dev/null || true
}

# Each line of standard input, for the operator.
show() {
  local line
  while IFS= read -r line; do progress "$line"; done
}

# without SECRET TEXT: what others print may have a secret of ours in it.
without() {
  if [[ -n $1 ]]; then printf '%s\n' "${2//"$1"/(secret)}"; else printf '%s\n' "$2"; fi
}

# What is wrong, and what to do about it.
fail() {
  progress "$*"
  exit 1
}

# parse_flags "NAME= SWITCH …" "$@": fills the associative array `flag`. "NAME=" takes a value and "NAME=!" must be
# given; a bare name is a switch, whose value is then "yes".
declare -A flag=()
parse_flags() {
  local known=" $1 " word name
  shift
  while (($# > 0)); do
    name=${1#--}
    if [[ $known == *" $name= "* || $known == *" $name=! "* ]]; then
      (($# > 1)) || fail "--$name needs a value"
      flag[$name]=$2
      shift 2
    elif [[ $1 == --* && $known == *" $name "* ]]; then
      flag[$name]=yes
      shift
    else
      fail "$(basename "$0") takes no argument $1: run pulumi up again, so that step and scripts agree"
    fi
  done
  for word in $known; do
    if [[ $word == *=! && -z ${flag[${word%=!}]:-} ]]; then fail "$(basename "$0") needs --${word%=!}"; fi
  done
}

need_root() {
  if ((EUID != 0)) && [[ -z $ROOT ]]; then fail "$(basename "$0") must run as root: let the account that logs in use sudo without a password"; fi
}

# classify <LOG: sets failure_kind (momentary, final or unknown) and failure_reason, which has the remedy in it, too.
classify() {
  failure_kind="" failure_reason=""
  { read -r failure_kind && IFS= read -r failure_reason; } < <("$PYTHON" -B "$LIB/failures.py") || true
}

# retry ATTEMPTS COMMAND…: with pauses of 5, 15, 45 … seconds in between, but not where the command's output says that
# it will not get better. Returns the last one's exit code; failure_kind and failure_reason tell why.
retry() {
  local attempts=$1 pause=${BBB_DEPLOY_PAUSE:-5} attempt status output
  shift
  output=$(mktemp)
  for ((attempt = 1; ; attempt++)); do
    status=0
    "$@" 2>&1 | tee "$output" || status=$?
    if ((status != 0)); then classify <"$output"; fi
    if ((status == 0 || attempt == attempts)) || [[ $failure_kind == final ]]; then
      rm "$output"
      return "$status"
    fi
    note "attempt $attempt of $attempts ended with $status: $*; again in $pause s"
    sleep "$pause"
    pause=$((pause * 3))
  done
}

# wait_until SECONDS COMMAND…: asks once a second until the command succeeds.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if ((SECONDS >= end)); then return 1; fi
    sleep 1
  done
}

# No users but the test's own below another root.
own() { # OWNER:GROUP PATH
  if [[ -z $ROOT ]]; then chown "$@"; fi
}

# put_file PATH MODE OWNER:GROUP <CONTENT: writes atomically, and only where something differs. Returns 0 if the
# content changed and 10 if it was there already.
put_file() {
  local path=$1 mode=$2 owner=$3 new
  mkdir -p "$(dirname "$path")"
  new=$(mktemp "$path.XXXXXX")
  cat >"$new"
  own "$owner" "$new"
  chmod "$mode" "$new"
  if cmp -s "$new" "$path"; then
    rm "$new"
    own "$owner" "$path"
    chmod "$mode" "$path"
    return 10
  fi
  mv "$new" "$path"
}

# changed COMMAND…: whether put_file changed something; any other failure ends the script.
changed() {
  local status=0
  "$@" || status=$?
  case $status in
    0) return 0 ;;
    10) return 1 ;;
    *) fail "$* ended with $status" ;;
  esac
}

# apt COMMAND…: apt-get that waits for others at work, keeps configuration files and asks nothing. Its own pauses between
# attempts never end where nothing else is left to fetch (seen with 2.6), so it makes none.
apt() {
  timeout --kill-after=30 1200 apt-get -y -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Acquire::Retries::Delay=false \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Ends what an interrupted installation left half done, or without what it depends on.
apt_repair() {
  if [[ -n $(dpkg --audit 2>&1) ]] || ! apt check; then
    progress "an earlier installation was interrupted: finishing it"
    timeout 900 dpkg --force-confdef --force-confold --configure -a </dev/null || note "dpkg --configure -a ended with $?"
    apt --fix-broken install
  fi
}

installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Whether there is such a package for this release of the system.
apt_has() {
  installed "$1" || [[ $(apt-cache policy "$1" 2>/dev/null) == *Candidate:\ [0-9]* ]]
}

apt_update() {
  retry 5 apt update || return
  mkdir -p "$STATE"
  touch "$STATE/apt-updated"
}

# apt_install PACKAGE…: those that are missing. Package lists that are older than an hour are fetched first.
apt_install() {
  local package missing=()
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then return 0; fi
  apt_repair
  if [[ -z $(find "$STATE/apt-updated" -mmin -60 2>/dev/null) ]]; then
    apt_update || fail "apt-get update failed: ${failure_reason:-look for the reason in the log, mostly a package mirror that can\'t be reached}. Then run pulumi up again"
  fi
  progress "installing ${missing[*]}"
  retry 4 apt --no-install-recommends install "${missing[@]}" || {
    # Lists that are older than the packages name some that are gone.
    apt_update && retry 1 apt --no-install-recommends install "${missing[@]}"
  } || fail "apt-get could not install ${missing[*]}: ${failure_reason:-look for the reason in the log}. Then run pulumi up again"
}

# --- meetings, and what would end them -------------------------------------------------------------------------

# What runs on this host that a restart would end, in words; nothing where nothing does, or where nobody can tell.
in_use() {
  local properties=$ROOT/etc/bigbluebutton/bbb-web.properties count
  if [[ -e $properties ]] && systemctl is-active --quiet bbb-web; then
    if ! count=$("$PYTHON" "$LIB/api_check.py" meetings --properties "$properties" --base "${BBB_DEPLOY_API:-http://127.0.0.1:8090}/bigbluebutton/api"); then
      progress "note: the API does not tell whether meetings run; going on" >&2
    elif ((count > 0)); then
      echo "$count meeting(s) run"
    fi
  elif systemctl is-active --quiet coturn; then
    # A relay is a UDP socket of coturn's on a high port, one a participant and more.
    count=$(ss -Hanup | awk '/"turnserver"/ { port = $4; sub(/.*:/, "", port); if (port + 0 >= 32769) n++ } END { print n + 0 }')
    if ((count > 0)); then echo "$count relay(s) of calls are in use"; fi
  fi
}

# The text of duringMeetings may end meetings in each step that has not succeeded with it yet: so it serves all of one
# change, whatever fails in between, and nothing after it. The program leaves it in a file before an update's first step,
# not under /run: a restart for a kernel is part of the change.
texts_done=$STATE/$(basename -- "$0" .sh)/texts-done

# new_text SETTING=TEXT: whether there is one that this step did not succeed with when it last did.
new_text() {
  local text=${1#*=}
  [[ -n $text ]] && ! grep -Fxqs -e "$text" "$texts_done"
}

# allowed_during_meetings SETTING=TEXT…: whether duringMeetings names one of these changes, and it is not done yet.
allowed_during_meetings() {
  local allowed pair
  allowed=$(cat "$STATE/during-meetings" 2>/dev/null) || return 1
  for pair in "$@"; do
    if [[ ${pair#*=} == "$allowed" ]] && new_text "$pair"; then return 0; fi
  done
  return 1
}

# changes_done SETTING=TEXT…: the step has succeeded with these.
changes_done() {
  put_file "$texts_done" 600 root:root < <(printf '%s\n' "${@#*=}") || (($? == 10))
}

# how_to_allow SETTING=TEXT…
how_to_allow() {
  local pair settings
  for pair in "$@"; do
    if new_text "$pair"; then
      if [[ ${pair#*=} == "${pair%%=*}-"* ]]; then
        echo "give the setting duringMeetings the value ${pair#*=}, which stands for this change of ${pair%%=*}"
      else
        echo "give the setting duringMeetings the value of ${pair%%=*} (${pair#*=})"
      fi
      return 0
    fi
  done
  settings=$(printf ' or %s' "${@%%=*}")
  echo "give ${settings# or } a new text, and duringMeetings the same"
}

# refuse_while_in_use WHAT SETTING=TEXT…: ends the script where that would end meetings, unless one of these changes may.
refuse_while_in_use() {
  local found
  found=$(in_use)
  if [[ -z $found ]]; then return 0; fi
  if allowed_during_meetings "${@:2}"; then
    progress "note: $found, which $1 ends, as the setting duringMeetings allows"
    return 0
  fi
  fail "$found on $(hostname), which $1 would end; nothing was touched. Wait for their end, then run pulumi up again; or allow it: $(how_to_allow "${@:2}")"
}

# --- restarts ----------------------------------------------------------------------------------------------------

# What `step` takes for the wish to have the host restarted, and the script run again after it.
EX_RESTART=194

# restart_where_asked [SETTING=TEXT…]: restarts the host where an upgrade asks for that (a new kernel, libc or AppArmor),
# under meetings only where one of these changes may end them, and twice a run at most. What the script has done must
# show after it.
restart_where_asked() {
  local required=$ROOT/var/run/reboot-required packages found
  if [[ ! -e $required ]]; then return 0; fi
  packages=$(sort -u "$required.pkgs" 2>/dev/null | paste -sd' ') || true
  if [[ -z ${BBB_DEPLOY_RUN:-} ]] || (($(cat "$BBB_DEPLOY_RUN/restarts" 2>/dev/null || echo 0) >= 2)); then
    progress "note: the host asks for a restart${packages:+, for $packages}; do that outside of meetings: systemctl reboot"
    return 0
  fi
  found=$(in_use)
  if [[ -n $found ]] && ! allowed_during_meetings "$@"; then
    progress "note: the host asks for a restart${packages:+, for $packages}, but $found: do that when they have ended: systemctl reboot"
    return 0
  fi
  progress "the host asks for a restart${packages:+, for $packages}"
  exit "$EX_RESTART"
}

# guard_unit NAME DESCRIPTION: loads a table of nftables, again whenever others have emptied it.
guard_unit() {
  cat <<HERE
[Unit]
Description=$2
DefaultDependencies=no
After=local-fs.target nftables.service
PartOf=nftables.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/bbb-deploy/$1.nft

[Install]
WantedBy=multi-user.target
HERE
}

# guard NAME DESCRIPTION <RULES: a table of nftables of its own, in force from now on and at each boot.
guard() {
  apt_install nftables
  put_file "$ROOT/etc/bbb-deploy/$1.nft" 644 root:root || (($? == 10))
  put_file "$ROOT/etc/systemd/system/bbb-deploy-$1.service" 644 root:root < <(guard_unit "$@") || (($? == 10))
  systemctl daemon-reload
  systemctl enable --quiet "bbb-deploy-$1"
  systemctl restart "bbb-deploy-$1" || fail "nft takes no rules, so this could not be done: $2. See journalctl -u bbb-deploy-$1"
}

# api_answers URL: whether a BigBlueButton API says SUCCESS there.
api_answers() {
  curl --silent --max-time 5 "$1/bigbluebutton/api" 2>/dev/null | grep -q '<returncode>SUCCESS</returncode>'
}

# Gives the places of recordings to the services that write there, whose accounts come with the packages. A volume from
# another server may know these users by other numbers.
fix_owners() {
  fix_owner /var/bigbluebutton bigbluebutton
  fix_owner /var/freeswitch/meetings freeswitch
  fix_owner /var/lib/bbb-webrtc-recorder bigbluebutton
  local directory
  for directory in /var/mediasoup /var/mediasoup/recordings /var/mediasoup/screenshare; do
    fix_owner "$directory" bigbluebutton
  done
}

fix_owner() { # DIRECTORY USER
  local directory=$ROOT$1 user=$2
  if [[ -d $directory ]] && id "$user" >/dev/null 2>&1 && [[ $(stat -c %U "$directory") != "$user" ]]; then
    progress "giving $directory to $user"
    chown -R "$user:$(id -gn "$user")" "$directory"
  fi
}
