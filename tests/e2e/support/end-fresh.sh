#!/usr/bin/env bash
#
# end-fresh.sh [DIRECTORY…]: switches off and removes the fresh machines in these directories; without any, all those whose test is
# not running any more, as after Ctrl-C. Their directories have the test's process in the file "owner": id, start in clock ticks, and
# namespace of process ids. BBB_FRESH_MACHINES is where they are.
set -euo pipefail

machines=${BBB_FRESH_MACHINES:-/var/tmp}

# Whether the test that made a machine still runs. Of one that names no owner, whoever names its directory does.
in_use() { # DIRECTORY
  local pid start namespace
  if [[ -s $1/owner ]]; then
    read -r pid start namespace <"$1/owner"
    # Of another namespace's processes nothing is known here.
    [[ $namespace != "$(readlink /proc/self/ns/pid)" ]] || [[ $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20) == "$start" ]]
  else
    # Not by its own command line, which would be found.
    grep -qsaF -f <(printf '%s/\n' "$1") /proc/[0-9]*/cmdline
  fi
}

booted() { # NAME: process ids
  grep -lszxF -f <(printf '%s\n' "--machine=$1") /proc/[0-9]*/cmdline | cut -d/ -f3 || true
}

# The inits of process namespaces at or below a process, whose end is that of all in them.
inits() { # PID
  local child
  if grep -qsE '^NSpid:.*[[:space:]][0-9]+[[:space:]]+1$' "/proc/$1/status"; then echo "$1"; fi
  for child in $(pgrep --parent "$1" || true); do inits "$child"; done
}

switch_off() { # NAME
  local pid round
  for pid in $(booted "$1"); do inits "$pid" | xargs -r kill -KILL 2>/dev/null || true; done
  for round in {1..50}; do
    if [[ -z $(booted "$1") ]]; then return 0; fi
    if ((round == 30)); then booted "$1" | xargs -r kill -KILL 2>/dev/null || true; fi
    sleep 0.2
  done
}

# The loop devices of a machine's own sandbox, whose files are on its disk: the kernel's are one for all.
detach_loop_devices() { # ROOT
  local device
  device=$(mountpoint --fs-devno "$1" 2>/dev/null) || return 0
  losetup --list --noheadings --output NAME,BACK-MAJ:MIN | awk -v device="$device" '$2 == device { print $1 }' |
    xargs -r losetup --detach
}

remove() { # DIRECTORY
  local name=${1##*/} round hierarchy
  switch_off "$name"
  detach_loop_devices "$1/root"
  for round in {1..20}; do
    if ! grep -qF " $1/root" /proc/self/mountinfo; then break; fi
    if umount --recursive "$1/root" 2>/dev/null; then continue; fi
    if ((round == 20)); then
      echo "end-fresh.sh: $1/root is still mounted: fuser -vm $1/root shows what uses it" >&2
      return 1
    fi
    sleep 0.5
  done
  for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
    if [[ -d $hierarchy/$name ]]; then find "$hierarchy/$name" -depth -type d -exec rmdir {} \; 2>/dev/null || true; fi
  done
  rm -rf --one-file-system "$1"
}

status=0
if (($# == 0)); then
  for directory in "$machines"/bbb-fresh-*; do
    if [[ ! -d $directory ]] || in_use "$directory"; then continue; fi
    echo "removing the fresh machine that a former run left: $directory" >&2
    remove "$directory" || status=1
  done
fi
for directory in "$@"; do remove "$directory" || status=1; done
exit "$status"
