import * as pulumi from "@pulumi/pulumi";

import type { DialInRequest } from "../bigbluebutton/dialIn";
import { optionLines } from "../bigbluebutton/options";
import type { Settings } from "../settings";

/** Dial-in of a host by the settings, secret; undefined without it. @param ipv4 Public address of the host. */
export function dialInRequest(
  { dialIn, release }: Pick<Settings, "dialIn" | "release">,
  ipv4: pulumi.Input<string>,
): pulumi.Output<DialInRequest> | undefined {
  const line = optionLines.find((line) => line === release.version);
  if (!dialIn || !line) return undefined;
  const { networks, gateway, password } = dialIn;
  return pulumi.secret(
    pulumi.all([ipv4, password]).apply(([ipv4, password]) => ({
      ...{ line, networks, gateway, ipv4 },
      ...(password !== undefined && { password }),
    })),
  );
}
