import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

import { removeCommand, setCommand } from "../../settings/remedies";
import { chooseImage, imageKey, noBakedImage, type BakedImage } from "../bakedImages";
import { awsLookUp } from "./lookUp";
import type { HostArgs } from "../host";
import { LookUpError } from "../lookUps";

/** Account from which Canonical publishes Ubuntu's images (https://documentation.ubuntu.com/aws). */
const CANONICAL = "099720109477";

/** Facts about a host's place that a choice of its image depends on. */
export interface ImagePlace {
  readonly region: string;
  /** Hash of the scripts that install on the host. */
  readonly scripts: string;
  /** Tells whether the deployment has servers already, which keep their disks. */
  readonly exists: () => Promise<boolean>;
}

/**
 * Finds the image for a new server of a host: the newest baked one if the host asks for it, the one of an id, else
 * Canonical's newest of a name.
 *
 * @returns its id, "ami-…"
 * @throws LookUpError if the region has none, or it is one for ARM
 */
export async function findImage(
  host: HostArgs,
  place: ImagePlace,
  opts: pulumi.InvokeOptions,
): Promise<string> {
  const { role, image } = host;
  const { region } = place;
  const baked = host.baked && (await findBakedImage(host, place, opts));
  if (baked) return baked;
  const own = imageKey(role);
  // Canonical's own for the TURN server is no setting.
  const [key, remedy] =
    role === "bbb" || image.startsWith("ami-")
      ? [own, `${setCommand(own, "ami-…")}, with an image of your own, or ${removeCommand(own)}`]
      : ["location", "choose another region"];
  const isId = image.startsWith("ami-");
  const ask = isId ? { filters: [{ name: "image-id", values: [image] }] } : newestOfCanonical(image);
  const found = await awsLookUp(() => aws.ec2.getAmi(ask, opts), {
    key,
    reason: isId
      ? `is ${image}, which the account cannot see in ${region}`
      : `leads to ${image}, of which Canonical has no image in ${region}`,
    remedy,
  });
  if (found.architecture === "x86_64") return found.id;
  const reason = `is ${image}, an image for ${found.architecture}; BigBlueButton has packages for x86_64 only`;
  throw new LookUpError([{ key, reason, remedy }]);
}

/** Finds the newest baked image. Root disks of a role have one size, which those of its images are. */
async function findBakedImage(
  host: HostArgs,
  { scripts, exists }: ImagePlace,
  opts: pulumi.InvokeOptions,
): Promise<string | undefined> {
  const found = await newestBaked(host, opts);
  const { id, problem } = await chooseImage(host, found, { now: new Date(), scripts }, exists);
  if (problem) throw new LookUpError([problem]);
  return id;
}

/** Pattern of the provider's words for filters that no image fits. */
const NONE = /returned no results/i;

async function newestBaked(host: HostArgs, opts: pulumi.InvokeOptions): Promise<BakedImage | undefined> {
  const wanted = Object.entries({ ...host.baked!.labels }).map(([key, value]) => ({
    name: `tag:${key}`,
    values: [value],
  }));
  const filters = [
    ...wanted,
    { name: "state", values: ["available"] },
    { name: "architecture", values: ["x86_64"] },
  ];
  const ask = async (): Promise<BakedImage | undefined> => {
    try {
      const { id, tags } = await aws.ec2.getAmi({ owners: ["self"], mostRecent: true, filters }, opts);
      return { id, labels: tags };
    } catch (error) {
      if (NONE.test((error as Error).message)) return undefined;
      throw error;
    }
  };
  return awsLookUp(ask, noBakedImage(host));
}

function newestOfCanonical(name: string): aws.ec2.GetAmiArgs {
  const filter = (key: string, value: string) => ({ name: key, values: [value] });
  return {
    owners: [CANONICAL],
    mostRecent: true,
    // Canonical deprecates all but the newest, and all of a release of Ubuntu that is past its time.
    includeDeprecated: true,
    filters: [
      filter("name", name),
      filter("architecture", "x86_64"),
      filter("virtualization-type", "hvm"),
      filter("root-device-type", "ebs"),
    ],
  };
}
