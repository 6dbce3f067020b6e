import { onHost, sandbox, type Result } from "./sandbox";

/** Accounts on a host that try to reach its cloud's metadata service. */

export type From = "root" | "nobody" | "container";

/** Address that tells whether a container has a way out of its host at all: the package mirror's. */
const CONTROL = "198.51.100.6";

/**
 * Script for a network like a container's: an interface pair, and the host's address towards the outside. Ends with 99
 * where that does not work.
 */
const CONTAINER = `
set -euo pipefail
away() { { ip netns del e2e; nft delete table ip e2e; } 2>/dev/null || true; }
ready=
finish() { code=$?; away; [[ -n $ready ]] || exit 99; exit "$code"; }
trap finish EXIT
away
ip netns add e2e
ip link add e2e0 type veth peer name eth0 netns e2e
ip addr add 10.99.0.1/24 dev e2e0
ip link set e2e0 up
ip -n e2e addr add 10.99.0.2/24 dev eth0
ip -n e2e link set eth0 up
ip -n e2e route add default via 10.99.0.1
unshare --mount sh -c 'mount -o remount,rw,bind /proc/sys && echo 1 >/proc/sys/net/ipv4/ip_forward'
nft 'add table ip e2e; add chain ip e2e out { type nat hook postrouting priority srcnat; };
  add rule ip e2e out ip saddr 10.99.0.0/24 masquerade'
ip netns exec e2e timeout 5 bash -c 'exec 3<>/dev/tcp/${CONTROL}/80'
ready=yes
ip netns exec e2e "$@"
`;

/** Runs a bash script on a host in one of these accounts. */
export async function runFrom(from: From, fqdn: string, script: string): Promise<Result> {
  const command = {
    root: ["bash", "-c", script],
    nobody: ["setpriv", "--reuid=65534", "--clear-groups", "bash", "-c", script],
    container: ["bash", "-c", CONTAINER, "bash", "bash", "-c", script],
  }[from];
  const result = await sandbox(["exec", "--at", fqdn, "--", ...command], { timeoutSeconds: 60 });
  if (result.code === 99) throw new Error(`the container on ${fqdn} has no network: ${result.stderr}`);
  return result;
}

/** Expects that root gets what the script asks for, and that other users and containers do not. */
export async function expectOnlyRoot(fqdn: string, script: string): Promise<void> {
  const answer = await onHost(fqdn, ["bash", "-c", script]);
  expect(answer).not.toBe("");
  for (const from of ["nobody", "container"] as const) {
    const { code, stdout } = await runFrom(from, fqdn, script);
    expect({ from, failed: code !== 0, stdout }).toEqual({ from, failed: true, stdout: "" });
  }
}
