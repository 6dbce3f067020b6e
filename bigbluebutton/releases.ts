import { bbbPorts, flashEraPorts, turnPorts, type PortRule } from "./ports";

export type { PortRule } from "./ports";

/** Names of the known releases, by Ubuntu release and BigBlueButton line. */
export const releaseNames = [
  "xenial-20",
  "xenial-22",
  "bionic-23",
  "bionic-24",
  "focal-25",
  "focal-26",
  "focal-27",
  "jammy-30",
  "noble-40",
] as const;

export type ReleaseName = (typeof releaseNames)[number];

/** Release of a new deployment: the current stable one. */
export const defaultRelease: ReleaseName = "jammy-30";

/** bbb-install of one release: its place and its options. */
export interface Installer {
  readonly url: string;
  /** Commit of bigbluebutton/bbb-install that `url` names, or the branch whose head it follows. */
  readonly revision: string;
  /** Digest in hex of the file at `url`; undefined if none could be verified, then `note` has the reason. */
  readonly sha256?: string;
  /** Option letters that its getopts line accepts. */
  readonly flags: readonly string[];
  readonly note?: string;
}

/** BigBlueButton's own files of a line that still changes, which scripts/upstream reads. */
export interface Upstream {
  /** Folder of the line's files. */
  readonly source: string;
  /** Services that bbb-conf of this line names, among those that the check of a host asks for. */
  readonly units: readonly string[];
}

/** Minimum of a host by the installer, which refuses a smaller one. Our preflight checks it first. */
export interface Minimum {
  /** Memory in kB, compared with MemTotal of /proc/meminfo. */
  readonly memoryKb: number;
  /** Number of cores, compared with `nproc --all`; 1 for an installer that does not check. */
  readonly cores: number;
  /** True when /proc/net/if_inet6 must exist. */
  readonly ipv6: boolean;
}

/** File with a release's TURN servers, and the beans that its own installer writes there. */
export interface TurnXml {
  /** Absolute path on the BigBlueButton host. */
  readonly path: string;
  /**
   * Form of the beans. `legacy`: a STUN server, then TURN over TLS and over plain TCP, both on 443; inside bbb-web's
   * own files, so every upgrade resets it. `override`: no STUN server, TURN over UDP 3478 and over TLS 443; under
   * /etc/bigbluebutton, which takes precedence and survives upgrades of the package.
   */
  readonly form: "legacy" | "override";
}

/** Facts about one BigBlueButton release. */
export interface Release {
  readonly name: ReleaseName;
  /** BigBlueButton's own version line, e.g. "3.0". */
  readonly version: string;
  /** Argument of bbb-install's -v, e.g. "jammy-300"; undefined for a release without an installer. */
  readonly installVersion?: string;
  /** Ubuntu release of the BigBlueButton host, e.g. "22.04". */
  readonly ubuntu: string;
  readonly codename: string;
  readonly status: "current" | "candidate" | "end-of-life";
  /** Hetzner's image name, and the name pattern of Canonical's images (owner 099720109477) on EC2. */
  readonly images: { readonly hetzner: string; readonly aws: string };
  /** Clouds where `images` can no longer be ordered; the setting `image` must then name another. */
  readonly withdrawnFrom: readonly ("hetzner" | "aws")[];
  readonly installer?: Installer;
  /** Upstream's own files; undefined for a line at its end, or for an installer of a fixed revision. */
  readonly upstream?: Upstream;
  readonly minimum: Minimum;
  readonly ports: { readonly bbb: readonly PortRule[]; readonly turn: readonly PortRule[] };
  readonly turnXml: TurnXml;
  /** Advice for an operator who chooses this release. */
  readonly note?: string;
  /** Sources of this row. */
  readonly sources: readonly string[];
}

const REPOSITORY = "https://github.com/bigbluebutton/bbb-install";
const RAW = "https://raw.githubusercontent.com/bigbluebutton/bbb-install";
const DOCS = "https://docs.bigbluebutton.org";

/** Upstream's lists of versions and their support, for scripts/upstream. */
export const upstreamLists = {
  /** BigBlueButton's lines and their support, as a table in Markdown. */
  support: "https://raw.githubusercontent.com/bigbluebutton/bigbluebutton/develop/SECURITY.md",
  /** All versions, as GitHub's API lists tags. */
  tags: "https://api.github.com/repos/bigbluebutton/bigbluebutton/git/matching-refs/tags/v",
  /** Ubuntu's releases with the ends of their support, as CSV. */
  ubuntu: "https://debian.pages.debian.net/distro-info-data/ubuntu.csv",
} as const;

const SOURCE = "https://raw.githubusercontent.com/bigbluebutton/bigbluebutton";
const everyLine = [
  ...["nginx", "freeswitch", "redis-server", "bbb-apps-akka", "bbb-fsesl-akka", "bbb-web", "bbb-webrtc-sfu"],
  ...["bbb-webrtc-recorder", "bbb-graphql-server", "bbb-graphql-actions", "bbb-graphql-middleware"],
  ...[
    "bbb-export-annotations",
    "bbb-rap-resque-worker",
    "bbb-rap-starter",
    "bbb-rap-caption-inbox",
    "bbb-webhooks",
  ],
];

/** Last commit of the branch `master`, which holds the installers of 2.2 to 2.6 (2024-02-12). */
const MASTER = "9e0691bb9e3576a58d764a8fd406054b3d58bb95";
/** Head of the branch `v2.7.x-release` (2024-02-24). */
const V27 = "4f8ad4c4263a4393de5a542eb7a2633cea4c38bb";

const legacyInstaller: Installer = {
  url: `${RAW}/${MASTER}/bbb-install.sh`,
  revision: MASTER,
  sha256: "065824c83004f0ff8ba8bf299fdfc082eaf6f019e7cc3cb92d3d9d1dd424623d",
  flags: Array.from("hsrcvepmxgadw"),
};

const memoryOnly: Minimum = { memoryKb: 3_940_000, cores: 1, ipv6: false };
const memoryAndCores: Minimum = { memoryKb: 3_940_000, cores: 4, ipv6: false };
const memoryCoresAndIpv6: Minimum = { memoryKb: 3_940_000, cores: 4, ipv6: true };

const legacyXml: TurnXml = {
  path: "/usr/share/bbb-web/WEB-INF/classes/spring/turn-stun-servers.xml",
  form: "legacy",
};
const overrideXml: TurnXml = { path: "/etc/bigbluebutton/turn-stun-servers.xml", form: "override" };

function images(version: string, codename: string, store: "hvm-ssd" | "hvm-ssd-gp3"): Release["images"] {
  return {
    hetzner: `ubuntu-${version}`,
    aws: `ubuntu/images/${store}/ubuntu-${codename}-${version}-amd64-server-*`,
  };
}

const xenial = {
  ubuntu: "16.04",
  codename: "xenial",
  status: "end-of-life",
  images: images("16.04", "xenial", "hvm-ssd"),
  withdrawnFrom: ["hetzner"],
  minimum: memoryOnly,
  ports: { bbb: [...bbbPorts, ...flashEraPorts], turn: turnPorts },
} as const satisfies Partial<Release>;

const bionic = {
  ubuntu: "18.04",
  codename: "bionic",
  status: "end-of-life",
  images: images("18.04", "bionic", "hvm-ssd"),
  withdrawnFrom: ["hetzner"],
  installer: legacyInstaller,
  minimum: memoryOnly,
  ports: { bbb: bbbPorts, turn: turnPorts },
  turnXml: legacyXml,
} as const satisfies Partial<Release>;

const focal = {
  ubuntu: "20.04",
  codename: "focal",
  status: "end-of-life",
  images: images("20.04", "focal", "hvm-ssd"),
  withdrawnFrom: ["hetzner"],
  ports: { bbb: bbbPorts, turn: turnPorts },
} as const satisfies Partial<Release>;

const flashEraSources = [
  "https://github.com/bigbluebutton/bigbluebutton/issues/17146",
  "https://github.com/bigbluebutton/bigbluebutton/issues/9132",
];

/** The table: one row per release. Firewall, preflight, install command, XML and docs/releases.md come from it. */
export const releases: Readonly<Record<ReleaseName, Release>> = {
  "xenial-20": {
    ...xenial,
    name: "xenial-20",
    version: "2.0",
    turnXml: {
      path: "/var/lib/tomcat7/webapps/bigbluebutton/WEB-INF/spring/turn-stun-servers.xml",
      form: "legacy",
    },
    note:
      "No installer for 2.0 exists any more: the oldest that bbb-install still offers is 2.2. Ports, " +
      "turn-stun-servers.xml and preflight are known; an installation needs an installer of your own " +
      "(installerUrl and installerSha256).",
    sources: [`${REPOSITORY}/blob/${MASTER}/bbb-install.sh (check_version, TURN_XML)`, ...flashEraSources],
  },
  "xenial-22": {
    ...xenial,
    name: "xenial-22",
    version: "2.2",
    installVersion: "xenial-22",
    installer: legacyInstaller,
    turnXml: legacyXml,
    note: "A server without Flash users needs none of 1935, 5066 and 7443; the release's install page asks for them.",
    sources: [
      `${REPOSITORY}/blob/${MASTER}/bbb-install.sh`,
      ...flashEraSources,
      `${DOCS}/2.2/configure-firewall`,
    ],
  },
  "bionic-23": {
    ...bionic,
    name: "bionic-23",
    version: "2.3",
    installVersion: "bionic-23",
    sources: [
      `${REPOSITORY}/blob/${MASTER}/bbb-install.sh`,
      `${DOCS}/administration/firewall-configuration/`,
    ],
  },
  "bionic-24": {
    ...bionic,
    name: "bionic-24",
    version: "2.4",
    installVersion: "bionic-24",
    sources: [
      `${REPOSITORY}/blob/${MASTER}/bbb-install.sh`,
      `${DOCS}/administration/firewall-configuration/`,
    ],
  },
  "focal-25": {
    ...focal,
    name: "focal-25",
    version: "2.5",
    installVersion: "focal-250",
    installer: {
      url: `${RAW}/${MASTER}/bbb-install-2.5.sh`,
      revision: MASTER,
      sha256: "954f4c8a8dc01afd738dc0b8e7c5cc3ffd44a4e856ed76072e55d11dfa0f2f90",
      flags: Array.from("hsrcvepmxgadwji"),
    },
    minimum: memoryAndCores,
    turnXml: legacyXml,
    sources: [
      `${REPOSITORY}/blob/${MASTER}/bbb-install-2.5.sh`,
      `${DOCS}/administration/firewall-configuration/`,
    ],
  },
  "focal-26": {
    ...focal,
    name: "focal-26",
    version: "2.6",
    installVersion: "focal-260",
    installer: {
      url: `${RAW}/${MASTER}/bbb-install-2.6.sh`,
      revision: MASTER,
      sha256: "363f729cc7f5056313d019dae4c4a0ada9bd4f901283dcc3ac13cddc5cc25678",
      flags: Array.from("hsrcvepmtxgadwjik"),
    },
    minimum: memoryCoresAndIpv6,
    turnXml: overrideXml,
    sources: [
      `${REPOSITORY}/blob/${MASTER}/bbb-install-2.6.sh`,
      `${DOCS}/administration/firewall-configuration/`,
    ],
  },
  "focal-27": {
    ...focal,
    name: "focal-27",
    version: "2.7",
    installVersion: "focal-270",
    installer: {
      url: `${RAW}/${V27}/bbb-install.sh`,
      revision: V27,
      sha256: "ac9916138162814956016a9c152da0baf008a72cf00e1a7940a9e4aa70cd008f",
      flags: Array.from("hsrcvepmtxgadwjik"),
    },
    minimum: memoryCoresAndIpv6,
    turnXml: overrideXml,
    sources: [
      `${REPOSITORY}/blob/${V27}/bbb-install.sh`,
      "https://github.com/bigbluebutton/bigbluebutton/pull/23340",
      `${DOCS}/administration/firewall-configuration/`,
    ],
  },
  "jammy-30": {
    name: "jammy-30",
    version: "3.0",
    installVersion: "jammy-300",
    ubuntu: "22.04",
    codename: "jammy",
    status: "current",
    images: images("22.04", "jammy", "hvm-ssd"),
    withdrawnFrom: [],
    installer: {
      url: `${RAW}/v3.0.x-release/bbb-install.sh`,
      revision: "v3.0.x-release",
      flags: Array.from("hsrcvepmtxgadwjik"),
      note:
        "Not verified: the newest revision whose bytes could be had, " +
        "26ce2d16c2a82ef962d685525b0c20bb89d4d151 of 2024-02-23 (sha256 " +
        "9654ba2c4470b7e4a986c1bbf98544c7b3bf509314f1e8b217c7ef8e029186c2), still sets up Node.js 18 and MongoDB, " +
        "which 3.0 has since replaced. The URL follows the branch, as BigBlueButton's own instructions do.",
    },
    upstream: {
      source: `${SOURCE}/v3.0.x-release`,
      units: [...everyLine, "etherpad", "bbb-pads", "livekit-server"],
    },
    minimum: memoryCoresAndIpv6,
    ports: { bbb: bbbPorts, turn: turnPorts },
    turnXml: overrideXml,
    sources: [
      `${REPOSITORY}/tree/v3.0.x-release (read at 26ce2d1)`,
      `${REPOSITORY}/pull/827`,
      "https://github.com/bigbluebutton/bigbluebutton/pull/24977",
      `${DOCS}/3.0/administration/firewall-configuration`,
      `${DOCS}/administration/turn-server/`,
    ],
  },
  "noble-40": {
    name: "noble-40",
    version: "4.0",
    installVersion: "noble-400",
    ubuntu: "24.04",
    codename: "noble",
    status: "candidate",
    images: images("24.04", "noble", "hvm-ssd-gp3"),
    withdrawnFrom: [],
    installer: {
      url: `${RAW}/v4.0.x-release/bbb-install.sh`,
      revision: "v4.0.x-release",
      flags: Array.from("hsrcvepmtxgadwjikb"),
      note:
        "Not verified: the branch changes with the release candidates and no revision's bytes could be had whole. " +
        "The URL follows the branch, as BigBlueButton's own instructions do.",
    },
    upstream: {
      source: `${SOURCE}/v4.0.x-release`,
      units: [...everyLine, "bbb-shared-notes-server", "livekit-server"],
    },
    minimum: memoryCoresAndIpv6,
    ports: { bbb: bbbPorts, turn: turnPorts },
    turnXml: overrideXml,
    note: "A release candidate (September 2026): for trying out, not for production.",
    sources: [
      `${REPOSITORY}/tree/v4.0.x-release`,
      `${REPOSITORY}/pull/827`,
      `${DOCS}/4.0/new-features/`,
      "https://github.com/bigbluebutton/bigbluebutton/pull/25029",
      `${DOCS}/administration/turn-server/`,
    ],
  },
};

/** Ubuntu release of TURN hosts with its images, independent of BigBlueButton's. */
export const turnUbuntu: Pick<Release, "ubuntu" | "images"> = releases["noble-40"];
