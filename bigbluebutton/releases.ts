/** Skeleton: the shape that config.ts, components/ and the README rely on. */
export type ReleaseName =
  | "xenial-20" | "xenial-22" | "bionic-23" | "bionic-24"
  | "focal-25" | "focal-26" | "focal-27" | "jammy-30" | "noble-40";

export type Protocol = "tcp" | "udp";

/** One inbound rule of a host: `to` equals `from` for a single port. */
export interface PortRule {
  readonly protocol: Protocol;
  readonly from: number;
  readonly to: number;
  /** What listens there and why it has to be reachable; becomes the firewall rule's description. */
  readonly role: string;
}

export interface Installer {
  readonly url: string;
  readonly revision: string;
  /** Hex digest of the file at `url`, or undefined where none could be verified. */
  readonly sha256?: string;
}

export interface Release {
  readonly name: ReleaseName;
  /** BBB's own version line, e.g. "3.0". */
  readonly version: string;
  /** The literal argument of bbb-install's -v, e.g. "jammy-300". */
  readonly installVersion?: string;
  readonly ubuntu: string; // "22.04"
  readonly codename: string; // "jammy"
  readonly status: "current" | "candidate" | "end-of-life";
  readonly images: { readonly hetzner: string; readonly aws: string };
  readonly installer?: Installer;
  readonly ports: { readonly bbb: readonly PortRule[]; readonly turn: readonly PortRule[] };
  readonly turnXml: { readonly path: string; readonly form: "legacy" | "override" };
  readonly sources: readonly string[];
}
