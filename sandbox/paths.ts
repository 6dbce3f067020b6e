import { join, resolve } from "node:path";

/** The checkout that this sandbox was started from. */
export const PROJECT_DIR = resolve(__dirname, "..");

/** All state of the one sandbox on this machine; `reset` removes it. */
export const SANDBOX_STATE = process.env.BBB_SANDBOX_STATE ?? "/var/lib/bbb-sandbox";

/** What takes long to build and survives `reset`. */
export const SANDBOX_CACHE = process.env.BBB_SANDBOX_CACHE ?? "/var/cache/bbb-sandbox";

const inState = (...parts: string[]): string => join(SANDBOX_STATE, ...parts);

/** The emulated cloud's API token: 64 characters, mode 0600. */
export const TOKEN_FILE = inState("token");

/** What the emulated API keeps between two commands, and the log of its requests. */
export const HETZNER_STATE_FILE = inState("hetzner", "state.json");
export const REQUEST_LOG = inState("hetzner", "requests.jsonl");

/** The emulated AWS account: access key (JSON of accessKeyId and secretAccessKey, mode 0600), state, request log. */
export const AWS_CREDENTIALS_FILE = inState("aws", "credentials.json");
export const AWS_STATE_FILE = inState("aws", "state.json");
export const AWS_REQUEST_LOG = inState("aws", "requests.jsonl");

/** One line a request to EC2's instance metadata service, see aws/imds.ts. */
export const AWS_METADATA_LOG = inState("aws", "imds.jsonl");

/** Python with sandbox/aws/requirements.txt, installed by setup_moto of scripts/lib/setup.sh. */
export const MOTO_PYTHON = join(SANDBOX_CACHE, "moto", "bin", "python");

/** Certificates that the sandbox's clients trust, PEM: the ACME server's own root and all of its issuing roots. */
export const CA_BUNDLE = inState("ca", "bundle.pem");

/** `/etc/resolv.conf` and `/etc/nsswitch.conf` of the clients and of the engine. */
export const CLIENT_RESOLV_CONF = inState("clients", "resolv.conf");
export const CLIENT_NSSWITCH_CONF = inState("clients", "nsswitch.conf");

/** One file a recorded process, see hosts/processes.ts. */
export const PROCESSES_DIR = inState("processes");

/** One directory a host, a volume, a zone. */
export const HOSTS_DIR = inState("hosts");
export const VOLUMES_DIR = inState("volumes");
export const ZONES_DIR = inState("zones");
export const SERVICES_DIR = inState("services");

/** Checkpoints of the deployment engines. */
export const STACKS_DIR = inState("stacks");

/** What mirror.sandbox.test serves: symlinks into the cache. */
export const MIRROR_DIR = inState("mirror");

/** The stand-in's packages and installers, made at set-up by sandbox/bbb/build. */
export const STANDIN_DIR = join(SANDBOX_CACHE, "stand-in");

/** Logs of the daemon, of the services and of the hosts' consoles. */
export const LOG_DIR = inState("log");

/** Paths of the image parts, as printed by image/build.sh. */
export const IMAGE_FILE = inState("image.json");

/** Has the daemon's process id once it serves everything. */
export const DAEMON_READY_FILE = inState("daemon.ready");

/** The digest of the code that the daemon was started from. */
export const DAEMON_CODE_FILE = inState("daemon.code");

/** The switches of control.ts. */
export const CONTROL_SOCKET = inState("control.sock");

/** Held while a command changes the sandbox; outside of the state, which reset removes. */
export const LOCK_FILE = "/run/lock/bbb-sandbox.lock";
