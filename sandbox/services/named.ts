import { SERVICES, serviceIpv6 } from "../network/addresses";

/** Where the configuration and the zones are in the services' tree. */
export const CONFIG_DIR = "/etc/bbb-sandbox";

export interface PublishedZone {
  readonly name: string;
  /** Relative to CONFIG_DIR. */
  readonly file: string;
}

function common(address: string): string {
  return `  directory "/var/cache/bind";
  listen-on { ${address}; };
  listen-on-v6 { ${serviceIpv6(address)}; };
  pid-file none;
  session-keyfile none;
  lock-file none;
  empty-zones-enable no;
  dnssec-validation no;
  notify no;
  version none;
  server-id none;
  hostname none;`;
}

/** named.conf of an authoritative server. */
export function renderAuthoritative(address: string, zones: readonly PublishedZone[]): string {
  const zone = ({ name, file }: PublishedZone): string =>
    `zone "${name}" { type primary; file "${CONFIG_DIR}/${file}"; };\n`;
  return `options {
${common(address)}
  recursion no;
  allow-query { any; };
  minimal-responses no;
};
controls { };
${zones.map(zone).join("")}`;
}

/** named.conf of the resolver: it starts at the sandbox's root and forgets within a second. */
export function renderResolver(): string {
  const address = SERVICES.resolver;
  return `options {
${common(address)}
  recursion yes;
  allow-query { any; };
  allow-recursion { any; };
  query-source address ${address};
  query-source-v6 address ${serviceIpv6(address)};
  max-cache-ttl 1;
  max-ncache-ttl 1;
  servfail-ttl 0;
  lame-ttl 0;
  prefetch 0;
};
controls { };
zone "." { type hint; file "${CONFIG_DIR}/root.hints"; };
`;
}

/** The root's address, as the resolver is told. */
export function renderHints(): string {
  return `. 3600000 IN NS root.sandbox.test.
root.sandbox.test. 3600000 IN A ${SERVICES.rootDns}
root.sandbox.test. 3600000 IN AAAA ${serviceIpv6(SERVICES.rootDns)}
`;
}
