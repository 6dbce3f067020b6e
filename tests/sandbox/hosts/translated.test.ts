import { spawnSync } from "node:child_process";

import { CLIENTS, METADATA_ADDRESS, SERVICES } from "../../../sandbox/network/addresses";
import { renderHost, renderRules, renderTable } from "../../../sandbox/network/firewall";
import {
  interfaceAddresses,
  renderInnerEnd,
  renderRouterEnd,
  renderRoutes,
  renderServices,
} from "../../../sandbox/network/namespaces";
import { renderHops, renderTranslations, renderTranslationTable } from "../../../sandbox/network/translation";
import type { Addresses, InboundRule } from "../../../sandbox/runtime";

/** Rendered network for real, in namespaces that nobody else sees. */

const one: Addresses = { ipv4: "203.0.113.11", privateIpv4: "172.31.5.5" };
const two: Addresses = { ipv4: "203.0.113.12", privateIpv4: "172.31.20.9" };
const alone: Addresses = { privateIpv4: "172.31.20.10" };
const plain: Addresses = { ipv4: "203.0.113.20" };
const hosts = { h1: one, h2: two, h3: alone, h4: plain };
const OUTSIDE = CLIENTS.internet.ipv4;

const tcp = (port: number, source: string): InboundRule => ({
  protocol: "tcp",
  ports: String(port),
  sources: [source],
});

function join(link: string, ipv4: string[], inner: string | undefined): string {
  return `
ip netns add ${link}
ip netns exec ${link} sysctl -qw net.ipv4.ip_forward=1
ip link add ${link} type veth peer name eth0 netns ${link}
ip -batch - <<'END'
${[...renderRouterEnd(link), ...renderRoutes(link, ipv4, [])].join("\n")}
END
ip -n ${link} -batch - <<'END'
${renderInnerEnd(inner, undefined).join("\n")}
END`;
}

const nft = (rules: string): string => `nft -f - <<'END'\n${rules}END`;

/** Server that tells each client its visible address, and the server's address that it used. */
const SERVER = `
import socket, sys, threading
def serve(address, port):
    with socket.create_server((address, port)) as server:
        while True:
            connection, peer = server.accept()
            with connection:
                connection.sendall(f"{peer[0]} at {connection.getsockname()[0]}".encode())
for port in sys.argv[2:]:
    threading.Thread(target=serve, args=(sys.argv[1], int(port))).start()
`;

const CLIENT = `
import socket, sys, time
address, port, refused = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "refused"
for attempt in range(1 if refused else 100):
    try:
        with socket.create_connection((address, port), timeout=1 if refused else 20) as connection:
            print(connection.recv(99).decode())
            break
    except OSError as error:
        time.sleep(0.1)  # not listening yet
        answer = error
else:
    print("refused")
`;

const serve = (namespace: string, address: string, ...ports: number[]): string =>
  `${namespace && `ip netns exec ${namespace} `}python3 -c "$SERVER" ${address} ${ports.join(" ")} & servers+=($!)`;

const connections: string[][] = [];

/**
 * Connects from a namespace ("" is the router) to an address: the sender that its server sees, or undefined when
 * nothing may arrive.
 */
function connection(from: string, to: string, port: number, seen: string | undefined): string {
  const number = connections.push([`${from || "router"} to ${to}:${port}`, seen ?? "refused"]);
  const client = `python3 -c "$CLIENT" ${to} ${port} ${seen ? "answers" : "refused"}`;
  return `${from && `ip netns exec ${from} `}${client} >/run/${number} & clients+=($!)`;
}

const script = `set -euo pipefail
mount -t tmpfs tmpfs /run
SERVER=$(cat <<'END'${SERVER}END
)
CLIENT=$(cat <<'END'${CLIENT}END
)
servers=() clients=()
trap 'kill "\${servers[@]}"' EXIT
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0
ip -batch - <<'END'
${renderServices()
  .filter((line) => !line.includes(":"))
  .join("\n")}
END
${nft(renderTable() + renderTranslationTable() + ["1", "2", "3", "4"].map(renderHost).join("") + renderHops("1", 1))}
${join("outside", [OUTSIDE], OUTSIDE)}
${Object.entries(hosts)
  .map(([link, addresses]) => {
    const inner = interfaceAddresses(addresses).ipv4!;
    return join(link, addresses.ipv4 ? [inner, addresses.ipv4] : [inner], inner);
  })
  .join("\n")}
${nft(renderTranslations(Object.values(hosts)))}
${nft(renderRules("1", [tcp(80, "0.0.0.0/0"), tcp(81, `${two.ipv4}/32`), tcp(82, `${two.privateIpv4}/32`), tcp(83, `${one.ipv4}/32`)]))}
${serve("h1", "0.0.0.0", 80, 81, 82, 83)}
${serve("h2", "0.0.0.0", 80)}
${serve("h4", "0.0.0.0", 80)}
${serve("outside", "0.0.0.0", 80)}
${serve("", METADATA_ADDRESS, 80)}
${serve("", SERVICES.api, 80)}
# Behind a host: a container, as docker would have it.
ip netns add container
ip -n h1 link add c0 type veth peer name eth0 netns container
ip -n h1 address add 10.9.0.1/24 dev c0
ip -n h1 link set c0 up
ip -n container address add 10.9.0.2/24 dev eth0
ip -n container link set eth0 up
ip -n container route add default via 10.9.0.1
ip netns exec h1 nft -f - <<'END'
table ip docker {
  chain postrouting {
    type nat hook postrouting priority 100;
    ip saddr 10.9.0.0/24 oifname "eth0" masquerade
  }
}
END
${[
  connection("outside", one.ipv4!, 80, `${OUTSIDE} at ${one.privateIpv4}`),
  connection("outside", one.ipv4!, 81, undefined),
  connection("outside", one.privateIpv4!, 80, undefined),
  connection("h1", OUTSIDE, 80, `${one.ipv4} at ${OUTSIDE}`),
  connection("h1", plain.ipv4!, 80, `${one.ipv4} at ${plain.ipv4}`),
  connection("h4", one.ipv4!, 80, `${plain.ipv4} at ${one.privateIpv4}`),
  connection("h4", one.privateIpv4!, 80, undefined),
  connection("h1", one.ipv4!, 83, `${one.ipv4} at ${one.privateIpv4}`),
  connection("h2", one.ipv4!, 81, `${two.ipv4} at ${one.privateIpv4}`),
  connection("h2", one.ipv4!, 82, undefined),
  connection("h2", one.privateIpv4!, 82, `${two.privateIpv4} at ${one.privateIpv4}`),
  connection("h2", one.privateIpv4!, 81, undefined),
  connection("", one.ipv4!, 80, `${SERVICES.api} at ${one.privateIpv4}`),
  connection("h1", SERVICES.api, 80, `${one.ipv4} at ${SERVICES.api}`),
  connection("h1", METADATA_ADDRESS, 80, `${one.privateIpv4} at ${METADATA_ADDRESS}`),
  connection("h3", METADATA_ADDRESS, 80, `${alone.privateIpv4} at ${METADATA_ADDRESS}`),
  connection("h3", OUTSIDE, 80, undefined),
  connection("h3", SERVICES.api, 80, undefined),
  connection("h3", two.ipv4!, 80, undefined),
  connection("h3", two.privateIpv4!, 80, `${alone.privateIpv4} at ${two.privateIpv4}`),
  connection("container", OUTSIDE, 80, `${one.ipv4} at ${OUTSIDE}`),
  connection("container", METADATA_ADDRESS, 80, undefined),
].join("\n")}
wait "\${clients[@]}"
# The public address of one host goes to another.
${nft(renderTranslations([{ privateIpv4: one.privateIpv4 }, { ...two, ipv4: one.ipv4 }, alone]))}
${[
  connection("h1", OUTSIDE, 80, undefined),
  connection("h2", OUTSIDE, 80, `${one.ipv4} at ${OUTSIDE}`),
  connection("outside", one.ipv4!, 80, `${OUTSIDE} at ${two.privateIpv4}`),
  connection("outside", two.ipv4!, 80, undefined),
].join("\n")}
wait "\${clients[@]}"
for ((number = 1; number <= \${#clients[@]}; number++)); do cat /run/$number; done
`;

test("public and private addresses lead where they do on EC2", () => {
  const { stdout, stderr } = spawnSync("unshare", ["--net", "--mount", "--propagation", "private", "bash"], {
    input: script,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const seen = stdout.trimEnd().split("\n");
  expect(connections.map(([what], number) => [what, seen[number]])).toEqual(connections);
}, 120_000);
