import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import {
  greenlightPassword,
  renderGreenlightRequest,
  type GreenlightAdmin,
} from "../bigbluebutton/greenlight";
import type { Settings } from "../settings";

/** Greenlight's administrator that the deployment makes, with its generated password. */
export interface Administrator extends Pick<GreenlightAdmin, "name" | "email"> {
  /** Password; secret. */
  readonly password: pulumi.Output<string>;
}

/** True when the settings ask for more than Greenlight as its installer leaves it. */
export function hasWishes(greenlight: Settings["greenlight"]): boolean {
  return greenlight !== undefined && Object.keys(greenlight).length > 0;
}

/** Administrator of the settings, if they name one. The password stays the same for as long as the stack has it. */
export function administratorOf(
  name: string,
  { greenlight }: Pick<Settings, "greenlight">,
  parent: pulumi.Resource,
): Administrator | undefined {
  if (greenlight?.admin === undefined) return undefined;
  const { result } = new random.RandomPassword(`${name}-greenlight-admin`, greenlightPassword, { parent });
  return { ...greenlight.admin, password: pulumi.secret(result) };
}

/** Standard input of the step that sets up Greenlight; secret. */
export function greenlightRequest(
  host: Parameters<typeof renderGreenlightRequest>[0],
  greenlight: NonNullable<Settings["greenlight"]>,
  admin: Administrator | undefined,
): pulumi.Output<string> {
  return pulumi.secret(
    pulumi.output(admin).apply((admin) => renderGreenlightRequest(host, greenlight, admin)),
  );
}

/** Outputs about Greenlight, each of a deployment that has it. */
export interface GreenlightOutputs {
  readonly greenlightUrl?: pulumi.Output<string>;
  /** E-mail address with which the administrator signs in, if the deployment makes one. */
  readonly greenlightAdminEmail?: pulumi.Output<string>;
  /** Password of the administrator, if the deployment makes one; secret. */
  readonly greenlightAdminPassword?: pulumi.Output<string>;
}

/** Makes the outputs, which are there once the deployment is verified. */
export function greenlightOutputs(
  { greenlight, bbb: { fqdn } }: Pick<Settings, "greenlight" | "bbb">,
  { administrator }: { readonly administrator?: Administrator },
  verification: { onceVerified(value: pulumi.Input<string>): pulumi.Output<string> },
): GreenlightOutputs {
  return {
    ...(greenlight && { greenlightUrl: verification.onceVerified(`https://${fqdn}`) }),
    ...(administrator && {
      greenlightAdminEmail: verification.onceVerified(administrator.email),
      greenlightAdminPassword: verification.onceVerified(administrator.password),
    }),
  };
}
