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

/** SIP server of a telephone provider, or a telephone system of one's own. */
export interface DialInGateway {
  /** Name or IPv4 address. */
  readonly host: pulumi.Input<string>;
  /**
   * UDP port.
   *
   * @default 5060
   */
  readonly port?: pulumi.Input<number>;
  /**
   * Registers there, with user and password. false: a trunk by address.
   *
   * @default true
   */
  readonly register?: pulumi.Input<boolean>;
  /** Account at the provider. */
  readonly user?: pulumi.Input<string>;
  /** Password of the account; make it a secret. */
  readonly password?: pulumi.Input<string>;
}

/** Dial-in by telephone; docs/dial-in.md says what each entry is. */
export interface DialInArgument {
  /** Telephone number as people read it. */
  readonly number: pulumi.Input<string>;
  /** Addresses and networks from which calls come, IPv4. */
  readonly networks: pulumi.Input<pulumi.Input<string>[]>;
  /** SIP server of the provider. */
  readonly gateway: pulumi.Input<DialInGateway>;
  /** Digits of the numbers that BigBlueButton gives to meetings. */
  readonly pinDigits?: pulumi.Input<number>;
  /** Words below the welcome text that say how to dial in. */
  readonly greeting?: pulumi.Input<string>;
}

/** Numbers of backups that a pruning keeps. */
export interface BackupKeep {
  /** @default 7 */
  readonly daily?: pulumi.Input<number>;
  /** @default 4 */
  readonly weekly?: pulumi.Input<number>;
  /** @default 6 */
  readonly monthly?: pulumi.Input<number>;
}

/** Backups of the BigBlueButton server in a storage of the operator's own. */
export interface BackupArgument {
  /**
   * Repository: s3:https://SERVER/BUCKET/FOLDER or sftp://USER@SERVER:PORT//FOLDER; or storage-box, for a Hetzner Storage Box
   * that is made with the deployment.
   */
  readonly to: pulumi.Input<string>;
  /** Key of an S3 storage. */
  readonly accessKeyId?: pulumi.Input<string>;
  /** Other half of that key; make it a secret. */
  readonly secretAccessKey?: pulumi.Input<string>;
  /** Private key for an SFTP server, in OpenSSH's form; make it a secret. */
  readonly sshKey?: pulumi.Input<string>;
  /**
   * Public host key of the SFTP server.
   *
   * @default of a Storage Box the one that Hetzner publishes
   */
  readonly hostKey?: pulumi.Input<string>;
  /**
   * Type of the Storage Box.
   *
   * @default "bx11"
   */
  readonly boxType?: pulumi.Input<string>;
  /**
   * Location of a new Storage Box.
   *
   * @default hel1, or fsn1 for a server that is there
   */
  readonly boxLocation?: pulumi.Input<string>;
  /**
   * Password of a repository that another stack has made; make it a secret.
   *
   * @default a generated one
   */
  readonly password?: pulumi.Input<string>;
  /**
   * Time of the day, UTC.
   *
   * @default "02:30"
   */
  readonly at?: pulumi.Input<string>;
  /** Numbers of backups that a pruning keeps. */
  readonly keep?: pulumi.Input<BackupKeep>;
  /**
   * Saves raw recordings also.
   *
   * @default false
   */
  readonly raw?: pulumi.Input<boolean>;
  /** Backup that a new server gets before it makes its own: latest, or an id of scripts/backup list. */
  readonly restoreFrom?: pulumi.Input<string>;
}

/** Keys of BigBlueButton's own files, by file; docs/overrides.md lists them. */
export interface OverridesArgument {
  /**
   * Additions to nginx's site, by their names. Each is the path of a file on the machine that deploys, or an object of
   * `file` (such a path) or `text`, and `replace` (true to put it in the place of a file that is there already).
   */
  readonly nginx?: pulumi.Input<Readonly<Record<string, any>>>;
  /**
   * Files of your own, by their paths on the server. Each is as in `nginx`; the object may have `mode` (octal, "644" if not
   * given), `owner` ("root:root") and `restart`, the units to restart after a change, which asks for running meetings.
   */
  readonly files?: pulumi.Input<Readonly<Record<string, any>>>;
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
