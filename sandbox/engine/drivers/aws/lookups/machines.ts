/** Images, instance types and the zones that offer them: what the program reads of them. */
import type { InstanceTypeInfo } from "@aws-sdk/client-ec2";

import type { Context } from "../../../driver";
import type { Values } from "../../../wire";
import { session } from "../client";
import { tagMap } from "../tags";
import { flag, text, texts } from "../values";
import { filtersOf, lookup } from "./lookup";

/** Returns the newest matching image. Without `mostRecent`, only one may match. */
async function getAmi(args: Values, context: Context): Promise<Values> {
  const { ec2 } = await session(context);
  const { Images = [] } = await ec2.describeImages({
    Owners: texts(args.owners),
    IncludeDeprecated: flag(args.includeDeprecated),
    Filters: filtersOf(args),
  });
  const newest = [...Images].sort(
    (a, b) => Date.parse(b.CreationDate ?? "") - Date.parse(a.CreationDate ?? ""),
  );
  const [found] = newest;
  if (found === undefined)
    throw new Error("Your query returned no results. Please change your search criteria and try again.");
  if (newest.length > 1 && args.mostRecent !== true) {
    throw new Error(
      "Your query returned more than one result. Please try a more specific search criteria, " +
        "or set `most_recent` attribute to true.",
    );
  }
  const { ImageId = "", Architecture = "", Tags } = found;
  return { ...args, id: ImageId, architecture: Architecture, tags: tagMap(Tags) };
}

export const machineLookups = {
  ...lookup("aws:ec2/getAmi:getAmi", ["owners", "mostRecent", "filters", "includeDeprecated"], getAmi),
  ...lookup("aws:ec2/getInstances:getInstances", ["filters", "instanceStateNames"], async (args, context) => {
    const { ec2, region } = await session(context);
    const Filters = [
      ...(filtersOf(args) ?? []),
      { Name: "instance-state-name", Values: texts(args.instanceStateNames) ?? ["running"] },
    ];
    const { Reservations = [] } = await ec2.describeInstances({ Filters });
    const ids = Reservations.flatMap(({ Instances = [] }) => Instances).map(
      ({ InstanceId = "" }) => InstanceId,
    );
    return { ...args, id: region, ids };
  }),
  ...lookup("aws:ec2/getInstanceType:getInstanceType", ["instanceType"], async (args, context) => {
    const { ec2 } = await session(context);
    const name = text(args.instanceType);
    const { InstanceTypes = [] } = await ec2.describeInstanceTypes({
      InstanceTypes: [name] as InstanceTypeInfo["InstanceType"][] as never,
    });
    const [found] = InstanceTypes;
    if (found === undefined) throw new Error(`reading EC2 Instance Type (${name}): couldn't find resource`);
    return {
      ...args,
      id: found.InstanceType ?? "",
      burstablePerformanceSupported: found.BurstablePerformanceSupported ?? false,
      hypervisor: found.Hypervisor ?? "",
      supportedArchitectures: found.ProcessorInfo?.SupportedArchitectures ?? [],
    };
  }),
  ...lookup(
    "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings",
    ["locationType", "filters"],
    async (args, context) => {
      const { ec2, region } = await session(context);
      const locations: string[] = [];
      let NextToken: string | undefined;
      do {
        const page = await ec2.describeInstanceTypeOfferings({
          LocationType: text(args.locationType) as "region",
          Filters: filtersOf(args),
          NextToken,
        });
        locations.push(...(page.InstanceTypeOfferings ?? []).map(({ Location = "" }) => Location));
        NextToken = page.NextToken;
      } while (NextToken !== undefined && NextToken !== "");
      return { ...args, id: region, locations };
    },
  ),
};
