import { join, resolve } from "node:path";

/** Checkout from which this sandbox was started. */
export const PROJECT_DIR = resolve(__dirname, "..");

/** State of the one sandbox on this machine; `reset` removes it. */
export const SANDBOX_STATE = process.env.BBB_SANDBOX_STATE ?? "/var/lib/bbb-sandbox";

/** Files that take long to build; they survive `reset`. */
export const SANDBOX_CACHE = process.env.BBB_SANDBOX_CACHE ?? "/var/cache/bbb-sandbox";

const inState = (...parts: string[]): string => join(SANDBOX_STATE, ...parts);

/** API token of the emulated cloud: 64 characters, mode 0600. */
export const TOKEN_FILE = inState("token");

/** State of the emulated API between two commands, and the log of its requests. */
export const HETZNER_STATE_FILE = inState("hetzner", "state.json");
export const REQUEST_LOG = inState("hetzner", "requests.jsonl");

/** Emulated AWS account: access key (JSON of accessKeyId and secretAccessKey, mode 0600), state, request log. */
export const AWS_CREDENTIALS_FILE = inState("aws", "credentials.json");
export const AWS_STATE_FILE = inState("aws", "state.json");
export const AWS_REQUEST_LOG = inState("aws", "requests.jsonl");

/** Log of EC2's instance metadata service, one line a request, see aws/imds.ts. */
export const AWS_METADATA_LOG = inState("aws", "imds.jsonl");

/** Python with sandbox/aws/requirements.txt, installed by setup_moto of scripts/lib/setup.sh. */
export const MOTO_PYTHON = join(SANDBOX_CACHE, "moto", "bin", "python");

/** Certificates that the sandbox's clients trust, PEM: the ACME server's own root and all of its issuing roots. */
export const CA_BUNDLE = inState("ca", "bundle.pem");

/** `/etc/resolv.conf` and `/etc/nsswitch.conf` of the clients and of the engine. */
export const CLIENT_RESOLV_CONF = inState("clients", "resolv.conf");
export const CLIENT_NSSWITCH_CONF = inState("clients", "nsswitch.conf");

/** Directory of recorded processes, a file each, see hosts/processes.ts. */
export const PROCESSES_DIR = inState("processes");

/** Messages that the hosts sent, one JSON object a line, see services/messages.ts. */
export const MESSAGES_FILE = inState("messages.jsonl");

/** Directories of hosts, snapshots, volumes, zones, Storage Boxes: one for each. */
export const HOSTS_DIR = inState("hosts");
export const SNAPSHOTS_DIR = inState("snapshots");
export const VOLUMES_DIR = inState("volumes");
export const ZONES_DIR = inState("zones");
export const BOXES_DIR = inState("boxes");
export const SERVICES_DIR = inState("services");

/** Checkpoints of the deployment engines. */
export const STACKS_DIR = inState("stacks");

/** Content of mirror.sandbox.test: symlinks into the cache. */
export const MIRROR_DIR = inState("mirror");

/** The stand-in's packages and installers, made at set-up by sandbox/bbb/build. */
export const STANDIN_DIR = join(SANDBOX_CACHE, "stand-in");

/** Logs of the daemon, of the services and of the hosts' consoles. */
export const LOG_DIR = inState("log");

/** Paths of the image parts, as printed by image/build.sh. */
export const IMAGE_FILE = inState("image.json");

/** File with the daemon's process id, written once it serves everything. */
export const DAEMON_READY_FILE = inState("daemon.ready");

/** Digest of the code of the running daemon. */
export const DAEMON_CODE_FILE = inState("daemon.code");

/** Socket of the switches in control.ts. */
export const CONTROL_SOCKET = inState("control.sock");
