/* eslint-disable @typescript-eslint/no-explicit-any -- other languages have no type of a value of any kind */
import type * as pulumi from "@pulumi/pulumi";

/** Mail server of the operator's, for alerts. */
export interface AlertEmail {
  /** Addresses that get the messages. */
  readonly to: pulumi.Input<pulumi.Input<string>[]>;
  /** Address of the sender. */
  readonly from: pulumi.Input<string>;
  /** Name of the mail server. */
  readonly server: pulumi.Input<string>;
  /**
   * Port for submission: STARTTLS, or TLS from the first byte on at 465.
   *
   * @default 587
   */
  readonly port?: pulumi.Input<number>;
  /** Account at the mail server. */
  readonly user?: pulumi.Input<string>;
  /** Password of the account; make it a secret. */
  readonly password?: pulumi.Input<string>;
}

/** Webhook of a chat or of a program of the operator's own, for alerts. */
export interface AlertWebhook {
  /** URL of https; make it a secret. */
  readonly url: pulumi.Input<string>;
  /** Form of the messages: slack, matrix, ntfy or json. */
  readonly form: pulumi.Input<string>;
}

/** Ways to tell when something breaks on a server, and when it is well again. */
export interface AlertsArgument {
  /** E-mail by a mail server of the operator's. */
  readonly email?: pulumi.Input<AlertEmail>;
  /** Message to a chat. */
  readonly webhook?: pulumi.Input<AlertWebhook>;
  /** URL of a dead man's switch that the BigBlueButton server asks after each round. */
  readonly healthcheckUrl?: pulumi.Input<string>;
  /** URL of another one, which the TURN server asks. */
  readonly turnHealthcheckUrl?: pulumi.Input<string>;
}

/** Keys of BigBlueButton's own files, by file; docs/overrides.md lists them. */
export interface OverridesArgument {
  /** Properties of bbb-web. */
  readonly web?: pulumi.Input<Readonly<Record<string, any>>>;
  /** Settings of the client. */
  readonly html5?: pulumi.Input<Readonly<Record<string, any>>>;
  /** Settings of bbb-apps-akka, by their dotted names. */
  readonly akka?: pulumi.Input<Readonly<Record<string, any>>>;
  /** Settings of bbb-webrtc-sfu. */
  readonly sfu?: pulumi.Input<Readonly<Record<string, any>>>;
  /** Settings of bbb-webrtc-recorder. */
  readonly recorder?: pulumi.Input<Readonly<Record<string, any>>>;
  /** Settings of bbb-graphql-middleware. */
  readonly middleware?: pulumi.Input<Readonly<Record<string, any>>>;
  /** Settings of LiveKit. */
  readonly livekit?: pulumi.Input<Readonly<Record<string, any>>>;
}
