import type { Price } from "./price";
import type { PlannedResource } from "./program";
import { purposeNames, purposeOf } from "./resources";

/**
 * List of what costs something at AWS, to be entered in AWS's calculator; undefined when nothing there does.
 *
 * Its price list is not asked. The API wants a permission of its own (pricing:GetProducts), and the public files hold
 * every product of a region (https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html).
 */
export function awsPrice(resources: readonly PlannedResource[], region: string): Price | undefined {
  const positions = resources.flatMap((resource) => {
    const of = purposeNames[purposeOf(resource)];
    return costsOf(resource).map((what) => `${of} ${what}`);
  });
  if (positions.length === 0) return undefined;
  return {
    cloud: "aws",
    asked: false,
    why: `not asked: enter these for ${region} at https://calculator.aws`,
    failed: false,
    // In which order they come from the program is chance.
    positions: [...positions.sort(), "data transfer out, with many cameras the largest part"],
  };
}

function costsOf({ type, inputs }: PlannedResource): string[] {
  switch (type) {
    case "aws:ec2/instance:Instance": {
      const { volumeSize } = inputs.rootBlockDevice as { readonly volumeSize: number };
      return [
        `server: EC2 ${String(inputs.instanceType)}, Linux, on demand`,
        `disk: EBS gp3, ${volumeSize} GB`,
      ];
    }
    case "aws:ec2/eip:Eip":
      return ["address: public IPv4, in use"];
    case "aws:ebs/volume:Volume":
      return [`recordings: EBS gp3, ${String(inputs.size)} GB`];
    case "aws:dlm/lifecyclePolicy:LifecyclePolicy":
      return ["snapshots: EBS, by the GB that change"];
    default:
      return [];
  }
}
