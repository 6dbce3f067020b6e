import * as pulumi from "@pulumi/pulumi";
import { BigBlueButton } from "bigbluebutton-pulumi";

const config = new pulumi.Config();

/** Exported whole, it is found by scripts/check. */
export const deployment = new BigBlueButton("bigbluebutton", {
  domain: config.require("domain"),
  email: config.require("email"),
  sshNetworks: [config.require("sshNetwork")],
  environment: "test", // or staging, or prod for real meetings
});

export const url = deployment.url;
