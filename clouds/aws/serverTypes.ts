import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

import { defaultServerTypes } from "../../bigbluebutton/capacity";
import { setCommand } from "../../settings/remedies";
import { awsLookUp } from "./lookUp";
import type { HostArgs } from "../host";
import { LookUpError } from "../lookUps";
import { serverTypeKeys } from "../serverTypes";

/** Server types as large as the defaults, which every region offers; the defaults are not everywhere. */
const EVERYWHERE = { bbb: "c6i.4xlarge", turn: "c6i.large", balancer: "c6i.large" } as const;

/**
 * Finds the availability zones of the region that offer a host's server type.
 *
 * @param fullTimeCores Refuses types that give their cores only part of the time.
 * @throws LookUpError if the region has no such type, or it can't run BigBlueButton or TURN
 */
export async function zonesWithType(
  host: Pick<HostArgs, "role" | "serverType">,
  { region, fullTimeCores }: { readonly region: string; readonly fullTimeCores: boolean },
  opts: pulumi.InvokeOptions,
): Promise<ReadonlySet<string>> {
  const { role, serverType } = host;
  const key = serverTypeKeys[host.role];
  const usual = defaultServerTypes.aws.prod[role];
  const instead = (type: string) => `${setCommand(key, type)}, or another compute-optimised x86 type`;
  const remedy = instead(usual);
  const missing = {
    key,
    reason: `is ${serverType}, which AWS does not offer in ${region}`,
    remedy: instead(familyOf(serverType) === familyOf(usual) ? EVERYWHERE[role] : usual),
  };
  const type = await awsLookUp(() => aws.ec2.getInstanceType({ instanceType: serverType }, opts), missing);

  const unfit = [
    ...(type.supportedArchitectures.includes("x86_64")
      ? []
      : [
          `has ${type.supportedArchitectures.join(" and ")} processors, for which BigBlueButton has no packages`,
        ]),
    ...(fullTimeCores && type.burstablePerformanceSupported
      ? ["is burstable: its cores are slowed down once its credits are used up, which breaks up sound"]
      : []),
    // On Xen a volume has no device name that can be known before it is attached.
    ...(type.hypervisor === "xen"
      ? ["is of a generation before Nitro, whose volumes have no lasting names"]
      : []),
  ];
  if (unfit.length > 0) {
    throw new LookUpError(
      unfit.map((reason) => ({ key, reason: `is ${serverType}, which ${reason}`, remedy })),
    );
  }

  const filters = [{ name: "instance-type", values: [serverType] }];
  const { locations } = await awsLookUp(
    () => aws.ec2.getInstanceTypeOfferings({ locationType: "availability-zone", filters }, opts),
    missing,
  );
  if (locations.length === 0) throw new LookUpError([missing]);
  return new Set(locations);
}

function familyOf(serverType: string): string {
  return serverType.split(".", 1)[0]!;
}
