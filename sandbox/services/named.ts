import { SERVICES, serviceIpv6 } from "../network/addresses";

/** Directory of the configuration and the zones in the services' tree. */
export const CONFIG_DIR = "/etc/bbb-sandbox";

export interface PublishedZone {
  readonly name: string;
  /** Path relative to CONFIG_DIR. */
  readonly file: string;
}

/** Parts of named.conf that depend on BIND's version. */
export interface Bind {
  /**
   * True when there is a lock file, and so the option: three servers would need it for themselves. Gone in BIND 9.20.
   */
  readonly lockFile: boolean;
}

/**
 * Reads the output of `named -v`.
 *
 * @throws Error for any other text
 */
export function parseBind(printed: string): Bind {
  const [, major, minor] = /^BIND (\d+)\.(\d+)/.exec(printed) ?? [];
  if (major === undefined || minor === undefined)
    throw new Error(`named -v told no version: ${printed.trim()}`);
  return { lockFile: Number(major) === 9 && Number(minor) < 20 };
}

function common(address: string, { lockFile }: Bind): string {
  return `  directory "/var/cache/bind";
  listen-on { ${address}; };
  listen-on-v6 { ${serviceIpv6(address)}; };
  pid-file none;
  session-keyfile none;${lockFile ? "\n  lock-file none;" : ""}
  empty-zones-enable no;
  dnssec-validation no;
  notify no;
  version none;
  server-id none;
  hostname none;`;
}

/** named.conf of an authoritative server. */
export function renderAuthoritative(address: string, zones: readonly PublishedZone[], bind: Bind): string {
  const zone = ({ name, file }: PublishedZone): string =>
    `zone "${name}" { type primary; file "${CONFIG_DIR}/${file}"; };\n`;
  return `options {
${common(address, bind)}
  recursion no;
  allow-query { any; };
  minimal-responses no;
};
controls { };
${zones.map(zone).join("")}`;
}

/** named.conf of the resolver: it starts at the sandbox's root and forgets within a second. */
export function renderResolver(bind: Bind): string {
  const address = SERVICES.resolver;
  return `options {
${common(address, bind)}
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

/** Address of the root, for the resolver. */
export function renderHints(): string {
  return `. 3600000 IN NS root.sandbox.test.
root.sandbox.test. 3600000 IN A ${SERVICES.rootDns}
root.sandbox.test. 3600000 IN AAAA ${serviceIpv6(SERVICES.rootDns)}
`;
}
