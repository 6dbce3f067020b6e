import { existsSync, realpathSync } from "node:fs";

import { writeAtomically } from "../hosts/files";
import { type ClientName, clientNamespace, SERVICES } from "../network/addresses";
import { namespaceExists } from "../network/namespaces";
import { CA_BUNDLE, CLIENT_NSSWITCH_CONF, CLIENT_RESOLV_CONF } from "../paths";
import { Mistake } from "../../cli/mistake";

/** Outside clients: the machine's files and programs, the sandbox's network, names and certificates. */

/** The files that an outside client sees in place of the machine's. */
export function writeClientFiles(): void {
  writeAtomically(CLIENT_RESOLV_CONF, `nameserver ${SERVICES.resolver}\noptions timeout:2 attempts:3\n`);
  writeAtomically(
    CLIENT_NSSWITCH_CONF,
    "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n",
  );
}

const BIND = 'while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"';

/** The command line that runs a command as an outside client. */
export function asClient(client: ClientName, command: readonly string[]): string[] {
  const namespace = clientNamespace(client);
  if (!namespaceExists(namespace))
    throw new Mistake("the sandbox is not running: start it by ./scripts/sandbox up");
  const binds = [
    [CLIENT_RESOLV_CONF, "/etc/resolv.conf"],
    [CLIENT_NSSWITCH_CONF, "/etc/nsswitch.conf"],
  ].flatMap(([ours, theirs]) => (existsSync(theirs!) ? [ours!, realpathSync(theirs!)] : []));
  return [
    ...["nsenter", `--net=/run/netns/${namespace}`, "--"],
    ...["unshare", "--mount", "--propagation", "slave", "--"],
    ...["sh", "-euc", BIND, "sh", ...binds, "--", ...command],
  ];
}

/** Environment variables of the machine's proxies, which can't be reached from inside. */
const PROXIES = /^(https?|ftp|all|no)_proxy$/i;

/** The caller's environment, with the sandbox's authorities trusted by curl, OpenSSL, Go, Python and Node. */
export function clientEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([key]) => !PROXIES.test(key) && !key.startsWith("BBB_SANDBOX_LOCK"),
  );
  return {
    ...Object.fromEntries(kept),
    CURL_CA_BUNDLE: CA_BUNDLE,
    SSL_CERT_FILE: CA_BUNDLE,
    NODE_EXTRA_CA_CERTS: CA_BUNDLE,
    REQUESTS_CA_BUNDLE: CA_BUNDLE,
  };
}
