import { IN_HETZNER_DNS, IN_ROUTE53, type Names } from "./sandbox";

/** Deployment in parts of both clouds, or partly in one of them. */
export interface Mix {
  readonly name: string;
  readonly args: readonly string[];
  readonly names: Names;
}

const set = (...settings: string[]): string[] => settings.flatMap((setting) => ["--set", setting]);

export const MIXES: readonly Mix[] = [
  {
    name: "hosts at Hetzner, records in Route 53",
    args: ["--cloud", "hetzner", ...set("dns=route53")],
    names: IN_ROUTE53,
  },
  {
    name: "hosts on EC2, records at Hetzner",
    args: ["--cloud", "aws", ...set("dns=hetzner")],
    names: IN_HETZNER_DNS,
  },
  {
    name: "BigBlueButton at Hetzner, TURN on EC2",
    args: ["--cloud", "hetzner", ...set("turnCloud=aws")],
    names: IN_HETZNER_DNS,
  },
  {
    name: "BigBlueButton on EC2, TURN at Hetzner",
    args: ["--cloud", "aws", ...set("turnCloud=hetzner")],
    names: IN_ROUTE53,
  },
];

/** Settings for EC2 in the subnet of that id. */
export function inSubnet(subnetId: string): readonly string[] {
  return ["--cloud", "aws", ...set(`subnetId=${subnetId}`)];
}
