import * as pulumi from "@pulumi/pulumi";
import { BigBlueButton, SharedTurnServer, type BigBlueButtonArgs } from "bigbluebutton-pulumi";

/** What all have in common, in plain values. */
type Common = Omit<pulumi.Unwrap<BigBlueButtonArgs>, "turn">;

const config = new pulumi.Config();
const schools = config.requireObject<string[]>("schools");
const common = config.requireObject<Common>("common");

// Those of the arguments that a TURN server has, too.
const turn = new SharedTurnServer("relay", {
  domain: common.domain,
  email: common.email,
  environment: common.environment,
  cloud: common.cloud,
  location: common.location,
  sshNetworks: common.sshNetworks,
  sshPublicKeys: common.sshPublicKeys,
  dns: common.dns,
  acmeServer: common.acmeServer,
  acmeCa: common.acmeCa,
  tags: common.tags,
});

/** Deployments by school: `scripts/check` finds them here. */
export const deployments = Object.fromEntries(
  schools.map((name) => [name, new BigBlueButton(name, { ...common, hostname: name, turn })]),
);

export const urls = Object.values(deployments).map(({ url }) => url);
