/**
 * Part of @pulumi/aws 7.48 (terraform-provider-aws 6) that the program uses, through the AWS SDK. Written from the real
 * provider's sources and documentation, without the provider itself.
 */
import type { Driver } from "../../driver";
import { eip, eipAssociation } from "./addresses";
import { closeSessions } from "./client";
import { instance } from "./instances";
import { networkInterface } from "./interfaces";
import { keyPair } from "./keyPairs";
import { lifecyclePolicy } from "./lifecyclePolicies";
import { lookups } from "./lookups";
import { placementGroup } from "./placementGroups";
import { record } from "./records";
import { role, rolePolicyAttachment } from "./roles";
import { egressRule, ingressRule, securityGroup } from "./securityGroups";
import { volume, volumeAttachment } from "./volumes";

export const aws: Driver = {
  version: "7.48.0",
  kinds: {
    "aws:dlm/lifecyclePolicy:LifecyclePolicy": lifecyclePolicy,
    "aws:ebs/volume:Volume": volume,
    "aws:ec2/eip:Eip": eip,
    "aws:ec2/eipAssociation:EipAssociation": eipAssociation,
    "aws:ec2/instance:Instance": instance,
    "aws:ec2/keyPair:KeyPair": keyPair,
    "aws:ec2/networkInterface:NetworkInterface": networkInterface,
    "aws:ec2/placementGroup:PlacementGroup": placementGroup,
    "aws:ec2/securityGroup:SecurityGroup": securityGroup,
    "aws:ec2/volumeAttachment:VolumeAttachment": volumeAttachment,
    "aws:iam/role:Role": role,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": rolePolicyAttachment,
    "aws:route53/record:Record": record,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": egressRule,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ingressRule,
  },
  invokes: lookups,
  close: closeSessions,
};
