import { estimate, type Billable } from "./estimate";
import type { Price } from "./price";
import type { PlannedResource } from "./program";
import { purposeNames, purposeOf } from "./resources";

/**
 * List of what costs something at AWS, by published prices and to be entered in AWS's calculator; undefined when nothing
 * there does.
 *
 * Its price list is not asked. The API wants a permission of its own (pricing:GetProducts), and the public files hold
 * every product of a region (https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html).
 */
export function awsPrice(resources: readonly PlannedResource[], region: string): Price | undefined {
  const billables = resources.flatMap((resource) => {
    const of = purposeNames[purposeOf(resource)];
    return billablesOf(resource, region).map((one) => ({ ...one, what: `${of} ${one.what}` }));
  });
  if (billables.length === 0) return undefined;
  const snapshots = resources.some(({ type }) => type === "aws:dlm/lifecyclePolicy:LifecyclePolicy");
  const others = [...(snapshots ? [SNAPSHOTS] : []), TRAFFIC];
  // In which order they come from the program is chance.
  const sorted = billables.sort((a, b) => (a.what < b.what ? -1 : 1));
  return {
    cloud: "aws",
    asked: false,
    why: `not asked; https://calculator.aws takes these for ${region}`,
    failed: false,
    positions: [...sorted.map(({ what }) => what), ...others],
    estimate: estimate("aws", sorted, others),
  };
}

const SNAPSHOTS = "snapshots: EBS, by the GB that change";
const TRAFFIC = "data transfer out, with many cameras the largest part";

function billablesOf({ type, inputs }: PlannedResource, place: string): Billable[] {
  switch (type) {
    case "aws:ec2/instance:Instance": {
      const { volumeSize } = inputs.rootBlockDevice as { readonly volumeSize: number };
      const server = String(inputs.instanceType);
      return [
        { what: `server: EC2 ${server}, Linux, on demand`, server, place },
        { what: `disk: EBS gp3, ${volumeSize} GB`, gigabytes: volumeSize },
      ];
    }
    case "aws:ec2/eip:Eip":
      return [{ what: "address: public IPv4, in use", addresses: 1 }];
    case "aws:ebs/volume:Volume":
      return [{ what: `recordings: EBS gp3, ${String(inputs.size)} GB`, gigabytes: Number(inputs.size) }];
    default:
      return [];
  }
}
