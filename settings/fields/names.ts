import { dnsNameProblem, meantName, normalizeName, zoneProblem } from "../formats/names";
import { setCommand } from "../remedies";
import { choice, must, text, type Fields } from "./field";

export const names = {
  domain: {
    type: "string",
    required: true,
    example: "example.org",
    description:
      "DNS zone of both names, e.g. example.org. It must exist already, since several stacks share it.",
    schema: text.transform(normalizeName).superRefine(
      must((value) => {
        const problem = dnsNameProblem(value);
        if (problem) {
          const meant = meantName(value);
          const remedy = meant && !zoneProblem(meant) ? setCommand("domain", meant) : undefined;
          return { reason: `"${value}" ${problem}`, remedy };
        }
        const notOwn = zoneProblem(value);
        return notOwn && `"${value}" ${notOwn}`;
      }),
    ),
  },
  hostname: {
    type: "string",
    default: "bbb",
    example: "bbb",
    description: "Name of the BigBlueButton server: a label in the zone, or the full name.",
    schema: text,
  },
  turnHostname: {
    type: "string",
    default: "turn",
    example: "turn",
    description: "Name of the TURN server: a label in the zone, or the full name.",
    schema: text,
  },
  dns: {
    type: "string",
    example: "manual",
    description:
      "Way to make the DNS records: hetzner (in the token's project), route53 (in the AWS account), or manual (the update prints the records to make and waits for them). Not set: the cloud's own, hetzner or route53.",
    schema: choice(["hetzner", "route53", "manual"]),
  },
} as const satisfies Fields;
