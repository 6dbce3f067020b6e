import * as aws from "@pulumi/aws";

import { defaultLocations } from "../../bigbluebutton/capacity";
import type { Settings } from "../../settings";
import { environments } from "../../settings/environments";
import { awsHosts } from "./host";
import { awsAddresses } from "./addresses";
import { findAwsPlacement } from "./placement";
import type { Cloud } from "../cloud";
import type { HostArgs, LookUpOptions } from "../host";
import { named } from "../names";
import { route53Dns } from "./dns";

/**
 * Opens AWS, in the account of the environment's credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID, …), and in the region of
 * the hosts there. Route 53 has no region, so without hosts it is the default one.
 */
export function awsCloud(
  settings: Pick<Settings, "labels" | "network" | "environment">,
  hosts: readonly HostArgs[],
  { parent, scripts }: LookUpOptions,
): Cloud {
  const { labels, network, environment } = settings;
  const region = hosts.find(({ cloud }) => cloud === "aws")?.location ?? defaultLocations.aws;
  const provider = new aws.Provider(named("aws", labels), { region }, { parent });
  return {
    async findHosts(hosts) {
      const fullTimeCores = environments[environment].strict;
      const request = { region, ...network, hosts, fullTimeCores, scripts };
      const found = await findAwsPlacement(request, provider);
      return (operatorKey) => awsHosts({ labels, hosts, placement: found, operatorKey, provider, parent });
    },
    findZone: (request) => route53Dns(request, provider),
    findAddresses: () => awsAddresses(labels, { provider }),
  };
}
