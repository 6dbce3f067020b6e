/** Texts in a host's tree that identify it. Pure. */

const RELEASES: Readonly<
  Record<string, { readonly codename: string; readonly point: string; readonly name: string }>
> = {
  "16.04": { codename: "xenial", point: "16.04.7 LTS", name: "Xenial Xerus" },
  "18.04": { codename: "bionic", point: "18.04.6 LTS", name: "Bionic Beaver" },
  "20.04": { codename: "focal", point: "20.04.6 LTS", name: "Focal Fossa" },
  "22.04": { codename: "jammy", point: "22.04.5 LTS", name: "Jammy Jellyfish" },
  "24.04": { codename: "noble", point: "24.04.2 LTS", name: "Noble Numbat" },
};

function releaseOf(version: string): (typeof RELEASES)[string] {
  const release = RELEASES[version];
  if (!release)
    throw new Error(`no Ubuntu ${version} in the sandbox: it knows ${Object.keys(RELEASES).join(", ")}`);
  return release;
}

/** /etc/os-release of that Ubuntu release. */
export function renderOsRelease(version: string): string {
  const { codename, point, name } = releaseOf(version);
  return `PRETTY_NAME="Ubuntu ${point}"
NAME="Ubuntu"
VERSION_ID="${version}"
VERSION="${point} (${name})"
VERSION_CODENAME=${codename}
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
SUPPORT_URL="https://help.ubuntu.com/"
BUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"
UBUNTU_CODENAME=${codename}
`;
}

/** /etc/lsb-release of that Ubuntu release. */
export function renderLsbRelease(version: string): string {
  const { codename, point } = releaseOf(version);
  return `DISTRIB_ID=Ubuntu
DISTRIB_RELEASE=${version}
DISTRIB_CODENAME=${codename}
DISTRIB_DESCRIPTION="Ubuntu ${point}"
`;
}

/** Replaces the tree's lsb_release, which would tell the tree's own distribution. */
export const LSB_RELEASE_COMMAND = `#!/bin/sh
# lsb_release of a sandbox host: tells what /etc/lsb-release says.
. /etc/lsb-release
short= id= description= release= codename=
[ $# -gt 0 ] || set -- -v
while [ $# -gt 0 ]; do
  case $1 in
    --short) short=1 ;;
    --id) id=1 ;;
    --description) description=1 ;;
    --release) release=1 ;;
    --codename) codename=1 ;;
    --all) id=1 description=1 release=1 codename=1 ;;
    --version | -v) echo "No LSB modules are available." >&2 ;;
    -*)
      case $1 in *s*) short=1 ;; esac
      case $1 in *i*) id=1 ;; esac
      case $1 in *d*) description=1 ;; esac
      case $1 in *r*) release=1 ;; esac
      case $1 in *c*) codename=1 ;; esac
      case $1 in *a*) id=1 description=1 release=1 codename=1 ;; esac
      ;;
  esac
  shift
done
say() { if [ -n "$short" ]; then echo "$2"; else printf '%s:\\t%s\\n' "$1" "$2"; fi; }
[ -z "$id" ] || say "Distributor ID" "$DISTRIB_ID"
[ -z "$description" ] || say Description "$DISTRIB_DESCRIPTION"
[ -z "$release" ] || say Release "$DISTRIB_RELEASE"
[ -z "$codename" ] || say Codename "$DISTRIB_CODENAME"
exit 0
`;

/** /sys/devices/system/cpu/possible, which `nproc --all` reads. */
export function renderCpus(cores: number): string {
  return cores > 1 ? `0-${cores - 1}\n` : "0\n";
}

/** Part of a virtual machine's memory that the kernel keeps for itself, as a fraction. */
const KERNEL_SHARE = 0.03;

/** /proc/meminfo of a machine with that much memory and little in use. */
export function renderMeminfo(memoryGb: number): string {
  const total = Math.floor(memoryGb * 1024 * 1024 * (1 - KERNEL_SHARE));
  const free = Math.floor(total * 0.8);
  const rows: readonly [string, number][] = [
    ["MemTotal", total],
    ["MemFree", free],
    ["MemAvailable", Math.floor(total * 0.9)],
    ["Buffers", 16384],
    ["Cached", Math.floor(total * 0.1)],
    ["SwapCached", 0],
    ["Active", Math.floor(total * 0.05)],
    ["Inactive", Math.floor(total * 0.1)],
    ["SwapTotal", 0],
    ["SwapFree", 0],
    ["Dirty", 0],
    ["Writeback", 0],
    ["Shmem", 1024],
    ["SReclaimable", 16384],
    ["Slab", 32768],
  ];
  return rows.map(([key, kb]) => `${`${key}:`.padEnd(16)}${String(kb).padStart(8)} kB\n`).join("");
}
