import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

import { removeCommand, setCommand } from "../../settings/remedies";
import { awsLookUp } from "./lookUp";
import type { HostArgs } from "../host";
import { LookUpError } from "../lookUps";

/** Account from which Canonical publishes Ubuntu's images (https://documentation.ubuntu.com/aws). */
const CANONICAL = "099720109477";

/**
 * Finds the image for a new server of a host: the one of an id, else Canonical's newest of a name.
 *
 * @returns its id, "ami-…"
 * @throws LookUpError if the region has none, or it is one for ARM
 */
export async function findImage(
  { role, image }: Pick<HostArgs, "role" | "image">,
  region: string,
  opts: pulumi.InvokeOptions,
): Promise<string> {
  const [key, remedy] =
    role === "bbb"
      ? ["image", `${setCommand("image", "ami-…")}, with an image of your own, or ${removeCommand("image")}`]
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
