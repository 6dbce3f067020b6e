/** What a test server is made with: a stack's own settings, as far as they say where and for whom. */
import { randomInt } from "node:crypto";

import { conflicts } from "../../settings/conflicts";
import { readFields, unknownKeys } from "../../settings/read";
import { Mistake } from "../../cli/mistake";
import type { StackSettings } from "../stacks";
import { toEpoch } from "./duration";
import { PREFIX } from "./survey";

/** Taken from another stack's settings; everything else is a test server's own, or the default. */
const INHERITED = [
  ...["cloud", "domain", "email", "location", "turnCloud", "turnLocation", "vpcId", "subnetId", "dns"],
  ...["sshNetworks", "sshPublicKeys", "greenlight"],
];

/** Belongs to the release: of use only where that is the same. */
const OF_RELEASE = ["allowEndOfLife", "image", "installerUrl", "installerSha256"];

/** Belongs to the cloud of the servers. */
const OF_CLOUD = ["location", "turnCloud", "turnLocation", "vpcId", "subnetId", "dns", "image"];

/** What makes it a test server. */
const DECIDED = ["environment", "hostname", "turnHostname", "expires"];

export interface TestServerRequest {
  /** Settings of the stack that it is made like. */
  readonly like: StackSettings;
  readonly expires: Date;
  readonly release?: string;
  readonly cloud?: string;
  readonly set: StackSettings;
  /** Of the host names: "k3x9q2" makes bbb-k3x9q2 and turn-k3x9q2. */
  readonly token: string;
}

/**
 * A test server's settings: environment test with its small servers, host names of its own, certificates of the
 * staging authority, where the other stack has no private one, no snapshots, which would outlive it.
 */
export function testServerSettings(request: TestServerRequest): StackSettings {
  const { like, release, cloud, set, token } = request;
  for (const key of DECIDED) {
    if (key in set) throw new Mistake(`--set ${key}: a test server has its own ${key}, leave it out`);
  }
  const otherRelease = release !== undefined && release !== like.release;
  const otherCloud = cloud !== undefined && cloud !== (like.cloud ?? "hetzner");
  const taken = [...INHERITED, ...(otherRelease ? [] : ["release", ...OF_RELEASE])].filter(
    (key) => like[key] !== undefined && !(otherCloud && OF_CLOUD.includes(key)),
  );
  // Providers' settings, such as a token.
  const providers = Object.keys(like).filter((key) => key.includes(":"));
  const settings: StackSettings = {
    ...Object.fromEntries([...taken, ...providers].map((key) => [key, like[key]])),
    environment: "test",
    hostname: `bbb-${token}`,
    turnHostname: `turn-${token}`,
    ...authority(like),
    ...(release === undefined ? {} : { release }),
    ...(cloud === undefined ? {} : { cloud }),
    ...set,
    expires: toEpoch(request.expires),
  };
  if (settings.dns === "manual") {
    throw new Mistake(
      "dns is manual, and nobody makes records for a test server: add --set dns=hetzner or dns=route53",
    );
  }
  return settings.cloud === "aws" && !("snapshotDays" in set) ? { ...settings, snapshotDays: 0 } : settings;
}

/** @throws Mistake: in one line what the program would refuse before anything is made */
export function checkSettings(settings: StackSettings): void {
  const own = Object.fromEntries(Object.entries(settings).filter(([key]) => !key.includes(":")));
  const { values, problems } = readFields(own);
  // Its time is counted from now on by whoever asks for it.
  const all = [...unknownKeys(own), ...problems, ...conflicts(values, new Date(0))];
  if (all.length === 0) return;
  const told = all.map(({ key, reason }) => `${key} ${reason}`).join("; ");
  throw new Mistake(
    `the settings do not do: ${told}. Set them in Pulumi.test.yaml, in the stack of --like, or by --set`,
  );
}

/** Let's Encrypt's staging authority has room for names that come and go; a private one is all that there is. */
function authority({ acmeServer, acmeCa }: StackSettings): StackSettings {
  const own = typeof acmeServer === "string" && acmeServer.includes("://");
  return own ? { acmeServer, ...(acmeCa === undefined ? {} : { acmeCa }) } : { acmeServer: "staging" };
}

/** No vowels, which make words, and nothing that reads like something else. */
const LETTERS = "bcdfghjkmnpqrstvwxz23456789";

/** Six letters and digits, beginning with a letter: "k3x9q2". */
export function randomToken(): string {
  const pick = (from: string) => from[randomInt(from.length)]!;
  return pick(LETTERS.replace(/\d/g, "")) + Array.from({ length: 5 }, () => pick(LETTERS)).join("");
}

/** The stack of a name. @throws Mistake for a name that cannot be one */
export function stackOf(name: string): string {
  const bare = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  if (!/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/.test(bare)) {
    throw new Mistake(`${name}: a test server's name has 1 to 30 letters a-z, digits and inner hyphens`);
  }
  return PREFIX + bare;
}
