import { addressRules } from "./addresses";
import { imageRules } from "./images";
import { instanceRules } from "./instances";
import { interfaceRules } from "./interfaces";
import { lifecyclePolicyRules } from "./lifecyclePolicies";
import { placementGroupRules } from "./placementGroups";
import { route53Rules } from "./route53";
import type { Rule } from "./rule";
import { securityGroupRules } from "./securityGroups";
import { volumeRules } from "./volumes";

/** By service and action, e.g. "ec2:RunInstances". */
export const rules: Readonly<Partial<Record<string, Rule>>> = {
  ...addressRules,
  ...imageRules,
  ...instanceRules,
  ...interfaceRules,
  ...lifecyclePolicyRules,
  ...placementGroupRules,
  ...route53Rules,
  ...securityGroupRules,
  ...volumeRules,
};
