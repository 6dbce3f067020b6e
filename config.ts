import type { Release } from "./bigbluebutton/releases";

/** Skeleton: the typed, validated, read-only result of reading the stack's settings. */
export interface Settings {
  readonly project: string;
  readonly stack: string;
  readonly environment: "test" | "staging" | "prod";
  readonly cloud: "hetzner" | "aws";
  readonly domain: string; // the zone, "example.org"
  readonly bbbFqdn: string; // "bbb.example.org"
  readonly turnFqdn: string; // "turn.example.org"
  readonly email: string;
  readonly release: Release;
  readonly location: string;
  readonly serverType: string;
  readonly turnServerType: string;
  readonly image: string; // of the BBB host
  readonly turnImage: string; // always Ubuntu 24.04
  readonly sshNetworks: readonly string[];
  readonly sshPublicKeys: readonly string[];
  readonly dns: "hetzner" | "manual";
  /** `server` is always a directory URL; `caUrls` are roots that the hosts fetch themselves (Let's Encrypt staging). */
  readonly acme: {
    readonly server: string;
    readonly ca?: string;
    readonly caUrls: readonly string[];
    readonly trustedByBrowsers: boolean;
  };
  readonly greenlight: boolean;
  readonly recordings?: { readonly sizeGb: number; readonly adoptId?: string };
  readonly installer: { readonly url: string; readonly sha256?: string };
  readonly upgrade: string; // free text; a new value re-runs the installer
  readonly rotateTurnSecret: string; // free text; a new value makes a new secret
  readonly rotateSharedSecret: string;
  readonly protected: boolean;
}
