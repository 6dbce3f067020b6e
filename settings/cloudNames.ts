import {
  defaultLocations,
  defaultServerTypes,
  isArmServerType,
  isPartTimeServerType,
  type CloudName,
} from "../bigbluebutton/capacity";
import { environments } from "./environments";
import { type FieldName, type FieldValues } from "./fields";
import { isBaked } from "./imageName";
import { removeCommand, setCommand } from "./remedies";
import { DEFAULT_SNAPSHOT_DAYS } from "./fields/recordings";
import type { Problem } from "./problems";

type Values = Partial<FieldValues>;
type Finding = Omit<Problem, "key"> | undefined;

/** Forms of a cloud's own names, and the messages about other ones. */
interface CloudForms {
  readonly title: string;
  readonly location: (value: string, key: FieldName) => Finding;
  readonly serverType: RegExp;
  readonly image: { readonly form: RegExp; readonly what: string };
  readonly volume: { readonly form: RegExp; readonly what: string; readonly list: string };
}

const forms: Readonly<Record<CloudName, CloudForms>> = {
  hetzner: {
    title: "Hetzner Cloud",
    location: hetznerLocationProblem,
    serverType: /^[a-z]+\d+$/i,
    image: { form: /^[\w.-]+$/, what: "an image's name or id at Hetzner Cloud" },
    volume: {
      form: /^[1-9]\d*$/,
      what: "a volume's id at Hetzner Cloud, a number",
      list: "hcloud volume list",
    },
  },
  aws: {
    title: "AWS",
    location: awsRegionProblem,
    serverType: /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/,
    image: {
      // All of Canonical's names have a slash; without one, it is another cloud's.
      form: /^(ami-[0-9a-f]{8,17}|[\w.*?-]+\/[\w./*?-]+)$/,
      what: "an AMI's id, ami-…, or the name pattern of one of Canonical's",
    },
    volume: {
      form: /^vol-[0-9a-f]{8,17}$/,
      what: "an EBS volume's id, vol-…",
      list: "aws ec2 describe-volumes",
    },
  },
};

/** Checks the placement of the BigBlueButton and the TURN server: all settings with names of a cloud's own. */
export function cloudNameProblems(values: Values): Problem[] {
  const { cloud, turnCloud } = values;
  if (!cloud) return [];
  const clouds = { bbb: cloud, turn: turnCloud ?? cloud };
  return [
    ...check(values, "location", forms[clouds.bbb].location),
    ...check(values, "serverType", (value, key) => serverTypeProblem(value, key, clouds.bbb, values)),
    ...check(values, "balancerServerType", (value, key) => serverTypeProblem(value, key, clouds.bbb, values)),
    ...check(values, "turnLocation", forms[clouds.turn].location),
    ...check(values, "turnServerType", (value, key) => serverTypeProblem(value, key, clouds.turn, values)),
    ...check(values, "image", (value, key) => imageProblem(value, key, clouds.bbb)),
    ...check(values, "turnImage", (value, key) => imageProblem(value, key, clouds.turn)),
    ...check(values, "recordingsVolumeId", (value) => volumeProblem(value, clouds.bbb)),
    ...regionProblems(values, clouds),
    ...awsOnlyProblems(values, clouds),
  ];
}

function check(
  values: Values,
  key:
    | "location"
    | "turnLocation"
    | "serverType"
    | "turnServerType"
    | "balancerServerType"
    | "image"
    | "turnImage"
    | "recordingsVolumeId",
  find: (value: string, key: FieldName) => Finding,
): Problem[] {
  const value = values[key];
  const finding = value === undefined ? undefined : find(value, key);
  return finding ? [{ key, ...finding }] : [];
}

function hetznerLocationProblem(value: string, key: FieldName): Finding {
  const remedy = setCommand(key, defaultLocations.hetzner);
  const [location = ""] = value.split("-dc");
  if (location !== value) {
    return { reason: `"${value}" is a data centre, not a location`, remedy: setCommand(key, location) };
  }
  return /^[a-z]+\d*$/.test(value)
    ? undefined
    : { reason: `"${value}" is not the name of a location of Hetzner Cloud`, remedy };
}

function awsRegionProblem(value: string, key: FieldName): Finding {
  const [, region = "", zone] = /^([a-z]{2}(?:-[a-z]+)+-\d)([a-z]?)$/.exec(value) ?? [];
  if (zone) {
    return {
      reason: `"${value}" is an availability zone, not a region`,
      remedy: `${setCommand(key, region)}; subnetId decides the zone`,
    };
  }
  if (!region) {
    return {
      reason: `"${value}" is not the name of an AWS region`,
      remedy: setCommand(key, defaultLocations.aws),
    };
  }
  return /^(cn|us-gov|us-iso|eu-isoe|eusc)/.test(region)
    ? {
        reason: `"${value}" is in a partition of AWS that has other accounts, image owners and names`,
        remedy: setCommand(key, defaultLocations.aws),
      }
    : undefined;
}

function serverTypeProblem(
  value: string,
  key: FieldName,
  cloud: CloudName,
  { environment }: Values,
): Finding {
  const role = key === "serverType" ? "bbb" : key === "balancerServerType" ? "balancer" : "turn";
  const remedy = `${setCommand(key, defaultServerTypes[cloud].prod[role])}, or another x86 type`;
  if (!forms[cloud].serverType.test(value)) {
    return { reason: `"${value}" is not a server type of ${forms[cloud].title}`, remedy };
  }
  if (isArmServerType(value)) {
    return { reason: `"${value}" has ARM processors, for which BigBlueButton has no packages`, remedy };
  }
  return environment && environments[environment].strict && role !== "balancer" && isPartTimeServerType(value)
    ? {
        reason: `"${value}" gives its cores part of the time only, which breaks up sound as meetings grow`,
        remedy: `${remedy} whose cores are its own`,
      }
    : undefined;
}

function imageProblem(value: string, key: FieldName, cloud: CloudName): Finding {
  const { form, what } = forms[cloud].image;
  return isBaked(value) || form.test(value)
    ? undefined
    : {
        reason: `"${value}" is not ${what}`,
        remedy: `${setCommand(key, "NAME-OR-ID")}, or ${removeCommand(key)} for the release's own`,
      };
}

function volumeProblem(value: string, cloud: CloudName): Finding {
  const { form, what, list } = forms[cloud].volume;
  return form.test(value)
    ? undefined
    : {
        reason: `"${value}" is not ${what}`,
        remedy: `${setCommand("recordingsVolumeId", "ID")}, with the id that ${list} shows`,
      };
}

type Clouds = Readonly<Record<"bbb" | "turn", CloudName>>;

/** Problems of servers in two regions: both share a VPC and a subnet, which a region has of its own. */
function regionProblems({ location, turnLocation }: Values, clouds: Clouds): Problem[] {
  const region = location ?? defaultLocations.aws;
  if (clouds.bbb !== "aws" || clouds.turn !== "aws" || !turnLocation || turnLocation === region) return [];
  return [
    {
      key: "turnLocation",
      reason: `is ${turnLocation}, but the BigBlueButton server's region is ${region}: at AWS both share one`,
      remedy: `${removeCommand("turnLocation")}, or turnCloud of the other cloud`,
    },
  ];
}

function awsOnlyProblems(values: Values, clouds: Clouds): Problem[] {
  const problem = (key: FieldName, what: string): Problem => ({
    key,
    reason: `is set, but ${what}`,
    remedy: `${removeCommand(key)}, or ${setCommand("cloud", "aws")}`,
  });
  const { vpcId, subnetId, snapshotDays } = values;
  const network = Object.values(clouds).includes("aws") ? {} : { vpcId, subnetId };
  const snapshots = clouds.bbb === "hetzner" && snapshotDays ? snapshotDays : DEFAULT_SNAPSHOT_DAYS;
  return [
    ...(["vpcId", "subnetId"] as const)
      .filter((key) => network[key] !== undefined)
      .map((key) => problem(key, "no server is at AWS")),
    ...(snapshots === DEFAULT_SNAPSHOT_DAYS
      ? []
      : [
          problem(
            "snapshotDays",
            "the BigBlueButton server is at Hetzner Cloud, which has no snapshots of volumes",
          ),
        ]),
  ];
}
