import type { Call } from "../call";
import type { Cloud } from "../cloud";
import type { Answer } from "../errors";
import { addressRules } from "./addresses";
import { instanceRules } from "./instances";
import { interfaceRules } from "./interfaces";
import { lifecyclePolicyRules } from "./lifecyclePolicies";
import { route53Rules } from "./route53";
import { securityGroupRules } from "./securityGroups";
import { volumeRules } from "./volumes";

/** Carries out one operation where moto alone would not do as AWS does. */
export type Rule = (cloud: Cloud, call: Call) => Promise<Answer>;

/** By service and action, e.g. "ec2:RunInstances". */
export const rules: Readonly<Partial<Record<string, Rule>>> = {
  ...addressRules,
  ...instanceRules,
  ...interfaceRules,
  ...lifecyclePolicyRules,
  ...route53Rules,
  ...securityGroupRules,
  ...volumeRules,
};
