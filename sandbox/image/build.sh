#!/usr/bin/env bash
#
# Builds, once a recipe, what the sandbox's hosts boot from. Prints KEY=DIRECTORY lines:
#
#   base       one tree for all hosts (debootstrap, the machine's own distribution and package sources)
#   services   an overlay on it with name servers and the ACME authority
#   mirror     a flat apt repository of what hosts install, with dependencies; with BBB_SANDBOX_DISTRIBUTION set, also of
#              what BigBlueButton's own packages take from the distribution
#
# Each is built beside its place and moved there whole; a directory that exists is complete. Nothing is started
# and nothing is installed on the machine. Progress goes to standard error, details to $CACHE/log.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${BBB_SANDBOX_CACHE:-/var/cache/bbb-sandbox}
# shellcheck source=/dev/null
os=$(. /etc/os-release && printf '%s %s' "$ID" "${VERSION_CODENAME:-}")
id=${os% *} codename=${os#* }

say() { printf 'set-up: %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

packages() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$@"; }
hash() { sha256sum | cut -c 1-12; }

recipe() { sed -n '/^# --- recipe/,/^# --- end/p' "${BASH_SOURCE[0]}"; }

wanted_of_mirror() {
  packages "$here/packages-mirror.txt" "$here/../bbb/dependencies.txt"
  [[ -z ${BBB_SANDBOX_DISTRIBUTION:-} ]] || packages "$here/../bbb/distribution.tsv" | cut -d '|' -f 2 | tr , '\n'
}
base_hash=$({ echo "$os"; uname -m; recipe; packages "$here/packages-base.txt"; } | hash)
services_hash=$({ echo "$base_hash"; packages "$here/packages-services.txt"; } | hash)
mirror_hash=$({ echo "$base_hash $services_hash"; wanted_of_mirror | sort -u; } | hash)
base=$cache/base-$base_hash services=$cache/services-$services_hash mirror=$cache/mirror-$mirror_hash

# --- recipe ---------------------------------------------------------------------------------------------------

# URI|CODENAME|COMPONENT of the machine's own sources of its distribution, third parties left out.
machine_sources() {
  local origin
  case $id in
    debian) origin=Debian ;;
    ubuntu) origin=Ubuntu ;;
    *) die "the sandbox builds its hosts from Debian's or Ubuntu's packages; this machine is $id" ;;
  esac
  # shellcheck disable=SC2016 # apt's own placeholders
  apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)' 'Created-By: Packages' |
    sed -n "s/^$origin|//p" | sort -u
}

# What the machine's apt knows of proxies and logins, for the time of the build.
borrow_apt_settings() {
  local tree=$1
  apt-config dump Acquire::http >"$tree/etc/apt/apt.conf.d/99machine"
  apt-config dump Acquire::https >>"$tree/etc/apt/apt.conf.d/99machine"
  printf '%s\n' 'Acquire::Languages "none";' 'Acquire::Retries "3";' 'Acquire::Check-Valid-Until "false";' \
    >>"$tree/etc/apt/apt.conf.d/99machine"
  cp /etc/resolv.conf "$tree/etc/resolv.conf"
  cp -a /etc/hosts "$tree/etc/hosts"
  mkdir -p "$tree/etc/apt/auth.conf.d"
  find /etc/apt/auth.conf.d -name '*.conf' -exec cp -t "$tree/etc/apt/auth.conf.d" {} +
}

return_apt_settings() {
  local tree=$1
  rm -rf "$tree/etc/apt/apt.conf.d/99machine" "$tree/etc/apt/auth.conf.d" "$tree/etc/resolv.conf"
  printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$tree/etc/hosts"
}

in_tree() {
  local tree=$1
  shift
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    chroot "$tree" "$@"
}

install_in_tree() {
  local tree=$1
  shift
  in_tree "$tree" apt-get -q -y --no-install-recommends install "$@"
}

build_base() {
  local tree=$1 sources main_uri components keyring
  sources=$(machine_sources)
  main_uri=$(awk -F '|' -v c="$codename" '$2 == c { print $1; exit }' <<<"$sources")
  [[ -n $main_uri ]] || die "apt on this machine has no source for $id $codename: run apt-get update, then try again"
  components=$(awk -F '|' -v c="$codename" '$2 == c { print $3 }' <<<"$sources" | paste -sd ,)
  keyring=/usr/share/keyrings/$id-archive-keyring.gpg
  [[ -e $keyring ]] || die "$keyring is missing: install $id-archive-keyring or ubuntu-keyring"

  http_proxy=$(apt-config dump --format '%v' Acquire::http::Proxy) \
    debootstrap --variant=minbase --components="$components" --keyring="$keyring" "$codename" "$tree" "$main_uri"
  mount -t proc proc "$tree/proc"
  awk -F '|' '{ print "deb " $1 " " $2 " " $3 }' <<<"$sources" >"$tree/etc/apt/sources.list"
  rm -f "$tree"/etc/apt/sources.list.d/*
  borrow_apt_settings "$tree"
  printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
  chmod 755 "$tree/usr/sbin/policy-rc.d"
  echo force-unsafe-io >"$tree/etc/dpkg/dpkg.cfg.d/sandbox"
  in_tree "$tree" apt-get -q update
  in_tree "$tree" apt-get -q -y dist-upgrade
  # shellcheck disable=SC2046 # one word a package
  install_in_tree "$tree" $(packages "$here/packages-base.txt")
  in_tree "$tree" apt-get clean
  cp "$tree/etc/apt/sources.list" "$tree/etc/apt/sources.build"
  prepare_tree "$tree"
  return_apt_settings "$tree"
  rm "$tree/usr/sbin/policy-rc.d"
  umount "$tree/proc"
}

# From a distribution's tree to a cloud image: no keys, no identity, nothing that needs a kernel of its own.
prepare_tree() {
  local tree=$1
  sed -i 's/^# *\(en_US.UTF-8 UTF-8\)/\1/' "$tree/etc/locale.gen" 2>/dev/null || true
  in_tree "$tree" locale-gen en_US.UTF-8
  echo 'LANG=C.UTF-8' >"$tree/etc/default/locale"
  rm -f "$tree"/etc/ssh/ssh_host_* "$tree/etc/machine-id" "$tree/var/lib/dbus/machine-id" "$tree/etc/hostname"
  : >"$tree/etc/machine-id"
  in_tree "$tree" systemctl set-default multi-user.target
  in_tree "$tree" systemctl mask getty.target console-getty.service systemd-networkd-wait-online.service \
    apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer man-db.timer dpkg-db-backup.timer
  in_tree "$tree" systemctl enable ssh.service cron.service
  in_tree "$tree" systemctl disable ssh.socket 2>/dev/null || true
  # As the cloud's own images: root by key only, the cloud's data source only.
  printf 'PermitRootLogin prohibit-password\nPasswordAuthentication no\nUseDNS no\n' \
    >"$tree/etc/ssh/sshd_config.d/10-cloud.conf"
  cat >"$tree/etc/cloud/cloud.cfg.d/90-sandbox.cfg" <<'CFG'
datasource_list: [NoCloud]
disable_root: false
network: { config: disabled }
apt: { preserve_sources_list: true }
package_update: false
package_upgrade: false
manage_etc_hosts: false
growpart: { mode: "off" }
resize_rootfs: false
locale: false
CFG
  printf 'deb [trusted=yes] http://mirror.sandbox.test/debian ./\n' >"$tree/etc/apt/sources.list"
  rm -rf "$tree"/var/lib/apt/lists/* "$tree"/var/cache/apt/*.bin "$tree"/var/log/*.log
}

# overlay LOWER UPPER: a writable view at UPPER.view, ready for apt with the machine's sources.
open_overlay() {
  local lower=$1 upper=$2
  mkdir -p "$upper" "$upper.work" "$upper.view"
  mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$upper.work" "$upper.view"
  mount -t proc proc "$upper.view/proc"
  cp "$upper.view/etc/apt/sources.build" "$upper.view/etc/apt/sources.list"
  printf '#!/bin/sh\nexit 101\n' >"$upper.view/usr/sbin/policy-rc.d"
  chmod 755 "$upper.view/usr/sbin/policy-rc.d"
  borrow_apt_settings "$upper.view"
  in_tree "$upper.view" apt-get -q update
}

close_overlay() {
  local upper=$1
  umount "$upper.view/proc" "$upper.view"
  rm -rf "$upper.work" "$upper.view"
}

build_services() {
  local upper=$1
  open_overlay "$base" "$upper"
  # shellcheck disable=SC2046
  install_in_tree "$upper.view" $(packages "$here/packages-services.txt")
  in_tree "$upper.view" apt-get clean
  return_apt_settings "$upper.view"
  close_overlay "$upper"
}

build_mirror() {
  local directory=$1 upper=$1.tree package
  local -a wanted=()
  open_overlay "$base" "$upper"
  for package in $(wanted_of_mirror | sort -u); do
    if in_tree "$upper.view" apt-cache show "$package" >/dev/null 2>&1; then
      wanted+=("$package")
    else
      echo "no package $package in this distribution: left out of the mirror"
    fi
  done
  rm -f "$upper.view/etc/apt/apt.conf.d/docker-clean"
  in_tree "$upper.view" apt-get -q -y --no-install-recommends --download-only install "${wanted[@]}"
  mkdir -p "$directory"
  mv "$upper.view"/var/cache/apt/archives/*.deb "$directory"
  close_overlay "$upper"
  rm -rf "$upper"
  # The index is made where apt-ftparchive is: in the services' tree.
  mkdir "$upper"
  mount -t overlay overlay -o "lowerdir=$services:$base" "$upper"
  mount --bind "$directory" "$upper/mnt"
  in_tree "$upper" sh -euc 'cd /mnt
    apt-ftparchive packages . >Packages
    gzip -9kn Packages
    apt-ftparchive -o APT::FTPArchive::Release::Label=sandbox release . >Release.new
    mv Release.new Release'
  umount "$upper/mnt" "$upper"
  rmdir "$upper"
}
# --- end ------------------------------------------------------------------------------------------------------

# part NAME DESTINATION WHAT
part() {
  local name=$1 destination=$2 what=$3 log=$cache/log/image-$1.log started=$SECONDS
  [[ ! -d $destination ]] || return 0
  say "building $what"
  mkdir -p "$cache/log"
  rm -rf "$destination".new*
  # A mount and a process namespace of its own: whatever happens, nothing of the build stays behind.
  if ! timeout --kill-after=10 900 unshare --mount --pid --fork --kill-child --propagation private \
    bash "${BASH_SOURCE[0]}" inside "$name" "$destination.new" >"$log" 2>&1 </dev/null 9>&-; then
    tail -n 20 "$log" >&2
    die "building $what failed (whole log: $log)"
  fi
  mv "$destination.new" "$destination"
  say "building $what took $((SECONDS - started)) s"
}

case ${1:-} in
  inside) "build_$2" "$3" ;;
  "")
    umask 022
    mkdir -p "$cache"
    # Sandboxes with states of their own may share the cache: one builds, the others find what it built.
    exec 9>"$cache/image.lock"
    flock 9
    part base "$base" "the hosts' base tree ($id $codename)"
    part services "$services" "the tree of the sandbox's services"
    part mirror "$mirror" "the package mirror"
    printf 'base=%s\nservices=%s\nmirror=%s\n' "$base" "$services" "$mirror"
    ;;
  *) die "usage: build.sh" ;;
esac
