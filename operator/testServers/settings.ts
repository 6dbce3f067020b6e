/** Settings of a test server: those of a stack that say where and for whom, and its own. */
import { randomInt } from "node:crypto";

import { defaultRelease } from "../../bigbluebutton/releases";
import { conflicts } from "../../settings/conflicts";
import { BAKED_OR_STOCK } from "../../settings/imageName";
import { readFields, unknownKeys } from "../../settings/read";
import { Mistake } from "../../cli/mistake";
import { atCloud, textOf, type StackSettings } from "../../cli/stackFiles";
import { toEpoch } from "./duration";
import { PREFIX } from "./survey";

/** Settings taken from another stack; all others are a test server's own, or the default. */
const INHERITED = [
  ...["cloud", "domain", "email", "location", "turnCloud", "turnLocation", "vpcId", "subnetId", "dns"],
  ...["sshNetworks", "sshPublicKeys", "greenlight", "tags"],
];

/** Settings that belong to the release: of use only with the same one. */
const OF_RELEASE = ["allowEndOfLife", "image", "turnImage", "installerUrl", "installerSha256"];

/** Settings that make it a test server. */
const DECIDED = ["environment", "hostname", "turnHostname", "expires"];

export interface TestServerRequest {
  /** Settings of the stack that it resembles. */
  readonly like: StackSettings;
  readonly expires: Date;
  readonly release?: string;
  readonly cloud?: string;
  readonly set: StackSettings;
  /** Makes it from the cloud's own Ubuntu, not from a baked image where there is one. */
  readonly stock?: boolean;
  /** Part of the host names: "k3x9q2" makes bbb-k3x9q2 and turn-k3x9q2. */
  readonly token: string;
}

/**
 * Settings of a test server: environment test with its small servers, host names of its own, and no snapshots, which
 * would outlive it. Its servers are made from baked images, where there are some. Certificates are of the staging authority, unless the other stack has a private one.
 */
export function testServerSettings(request: TestServerRequest): StackSettings {
  const { release, cloud, set, token, stock } = request;
  const like = atCloud(request.like, cloud);
  for (const key of DECIDED) {
    if (key in set) throw new Mistake(`--set ${key}: a test server has its own ${key}, leave it out`);
  }
  const otherRelease = release !== undefined && release !== (textOf(like.release) ?? defaultRelease);
  const taken = [...INHERITED, ...(otherRelease ? [] : ["release", ...OF_RELEASE])].filter(
    (key) => like[key] !== undefined,
  );
  // Providers' settings, such as a token.
  const providers = Object.keys(like).filter((key) => key.includes(":"));
  const settings: StackSettings = {
    ...(stock ? {} : { image: BAKED_OR_STOCK }),
    ...(stock || set.turnStack ? {} : { turnImage: BAKED_OR_STOCK }),
    ...Object.fromEntries([...taken, ...providers].map((key) => [key, like[key]])),
    environment: "test",
    hostname: `bbb-${token}`,
    turnHostname: `turn-${token}`,
    ...authority(like),
    ...(release === undefined ? {} : { release }),
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

/** Checks settings. @throws Mistake with the program's refusals in one line, before anything is made */
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

/**
 * Settings of the authority: a private one stays, else Let's Encrypt's staging one, whose limits allow names that come
 * and go.
 */
function authority({ acmeServer, acmeCa }: StackSettings): StackSettings {
  const own = typeof acmeServer === "string" && acmeServer.includes("://");
  return own ? { acmeServer, ...(acmeCa === undefined ? {} : { acmeCa }) } : { acmeServer: "staging" };
}

/** Letters of a token: no vowels, which make words, and nothing that looks like another. */
const LETTERS = "bcdfghjkmnpqrstvwxz23456789";

/** Makes six letters and digits, beginning with a letter: "k3x9q2". */
export function randomToken(): string {
  const pick = (from: string) => from[randomInt(from.length)]!;
  return pick(LETTERS.replace(/\d/g, "")) + Array.from({ length: 5 }, () => pick(LETTERS)).join("");
}

/** Stack of a name. @throws Mistake for a name that cannot be one */
export function stackOf(name: string): string {
  const bare = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  if (!/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/.test(bare)) {
    throw new Mistake(`${name}: a test server's name has 1 to 30 letters a-z, digits and inner hyphens`);
  }
  return PREFIX + bare;
}
