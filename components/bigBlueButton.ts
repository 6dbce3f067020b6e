import * as pulumi from "@pulumi/pulumi";

import type { CertificateOutput, CheckOutput } from "../bigbluebutton/verification";
import {
  asArgumentsError,
  readArguments,
  titleOf,
  type Asker,
  type Checks,
  type RawArguments,
} from "./arguments";
import { deploy, type Deployment } from "./deployment";
import type { SettingArguments } from "./settingArguments";
import { outputsOf } from "./later";
import { offerTurn, shareOf, type TurnOutputs, type TurnShare } from "./turnShare";
import { TurnUsers } from "./turnUsers";

/** Arguments of a {@link BigBlueButton}: the settings of Pulumi.yaml, and whose TURN server to use. */
export interface BigBlueButtonArgs extends SettingArguments {
  /**
   * A TURN server to use instead of making one: a {@link SharedTurnServer} or another {@link BigBlueButton} of the same
   * program, which relays to this one from then on; or the name and secret of any other, in whose `turnPeers` the address of
   * this one must be.
   *
   * @default a TURN server of its own
   */
  readonly turn?: TurnOutputs;
}

/** Public addresses of a host. */
export interface HostAddresses {
  readonly ipv4: string;
  readonly ipv6?: string;
}

/** Public addresses of a deployment's hosts. */
export interface DeploymentAddresses {
  readonly bbb: HostAddresses;
  /** Missing where the TURN server is another component's. */
  readonly turn?: HostAddresses;
}

/**
 * A BigBlueButton server and its TURN server, from an empty cloud account to a verified deployment.
 *
 * The arguments are checked before anything of it is made; whatever is wrong is told at once. Those that decide what is made
 * must be known by then: in a preview, nothing is shown of a deployment with an argument that only another resource's creation
 * tells. The outputs are there once both hosts have proven that they work; those that help to look into what failed
 * (`addresses`, `sshCommand`, `privateKey`, `knownHosts`, `check`) are there before.
 *
 * @example
 * const school = new BigBlueButton("school-a", {
 *   domain: "example.org",
 *   hostname: "school-a",
 *   turnHostname: "turn-school-a",
 *   email: "admin@example.org",
 *   sshNetworks: ["198.51.100.7/32"],
 * });
 * export const schoolA = school;
 */
export class BigBlueButton extends pulumi.ComponentResource {
  /** Where people meet: "https://bbb.example.org". */
  readonly url: pulumi.Output<string>;
  /** The API's endpoint, for a front end such as Moodle or Greenlight. */
  readonly apiUrl: pulumi.Output<string>;
  /** What a front end signs its API calls with; secret. */
  readonly sharedSecret: pulumi.Output<string>;
  /** Where clients reach the TURN server, as RFC 7065 has it. */
  readonly turnUrls: pulumi.Output<string[]>;
  /** What credentials for the TURN server are made from; secret. */
  readonly turnSecret: pulumi.Output<string>;
  /** The fully qualified name of the TURN server, whoever makes it. */
  readonly turnHost: pulumi.Output<string>;
  /** By name, as of the last update that verified: until when each certificate is valid, and who issued it. */
  readonly certificates: pulumi.Output<Readonly<Record<string, CertificateOutput>>>;
  /** The release that runs, e.g. "jammy-30". */
  readonly release: pulumi.Output<string>;
  /** Public addresses of the hosts, which outlive these. */
  readonly addresses: pulumi.Output<DeploymentAddresses>;
  /** Logs in to the BigBlueButton server, with {@link privateKey}. */
  readonly sshCommand: pulumi.Output<string>;
  /** What the program logs in to the hosts with, in OpenSSH's form; secret. */
  readonly privateKey: pulumi.Output<string>;
  /** The hosts' public keys, as lines for ~/.ssh/known_hosts. */
  readonly knownHosts: pulumi.Output<string>;
  /** What scripts/check asks the hosts, as the last update had it; secret. */
  readonly check: pulumi.Output<CheckOutput>;

  constructor(name: string, args: BigBlueButtonArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { turn, ...settings } = args;
    // A component among the inputs would have this one wait for all that it makes, which waits for this one's address.
    super("bbb:index:BigBlueButton", name, settings, opts);
    const asker = { type: "BigBlueButton", name };
    const shared = turn && shareOf(turn);
    const users = shared ? undefined : new TurnUsers(titleOf(asker));
    const made = begin(asker, settings, { parent: this, shared, users });
    shared?.users?.add(made, titleOf(asker));
    offerTurn(this, shared ?? { service: made.then((deployment) => deployment?.turn), users });

    const output = outputsOf(made);
    this.url = output(({ outputs }) => outputs.url);
    this.apiUrl = output(({ outputs }) => outputs.apiUrl);
    this.sharedSecret = output(({ outputs }) => outputs.sharedSecret);
    this.turnUrls = output(({ outputs }) => outputs.turnUrls);
    this.turnSecret = output(({ outputs }) => outputs.turnSecret);
    this.turnHost = output(({ outputs, turn }) => outputs.turnHost ?? turn.fqdn);
    this.certificates = output(({ outputs }) => outputs.certificates);
    this.release = output(({ outputs }) => outputs.release);
    this.addresses = output(({ outputs }) => pulumi.output(outputs.addresses));
    this.sshCommand = output(({ outputs }) => outputs.sshCommand);
    this.privateKey = output(({ outputs }) => outputs.privateKey);
    this.knownHosts = output(({ outputs }) => outputs.knownHosts);
    this.check = output(({ outputs }) => outputs.check);
    this.registerOutputs({ url: this.url });
  }
}

/** Whom a deployment shares a TURN server with. */
interface Sharing {
  readonly parent: pulumi.Resource;
  readonly shared?: TurnShare;
  readonly users?: TurnUsers;
}

/** @returns Undefined in a preview in which it is not known yet what there is to be made. */
async function begin(
  asker: Asker,
  args: RawArguments,
  { parent, shared, users }: Sharing,
): Promise<Deployment | undefined> {
  const settings = await readArguments(asker, args, shared ? usingTurn(asker) : ofItsOwn);
  const turn = await shared?.service;
  if (settings === undefined || (shared && turn === undefined)) return undefined;
  return deploy(settings, { parent, turn, users }).catch((error: unknown) => {
    throw asArgumentsError(asker, error);
  });
}

const ofItsOwn: Checks = {
  problems: () => [],
  settingsOf: (args) => args,
  fqdns: ({ bbbFqdn, turnFqdn, turnStack }) => ({
    hostname: bbbFqdn,
    ...(turnStack === undefined && { turnHostname: turnFqdn }),
  }),
};

/** Arguments about a TURN server of a deployment's own. */
const ABOUT_TURN = [
  "turnHostname",
  "turnCloud",
  "turnLocation",
  "turnServerType",
  "turnPeers",
  "turnStack",
  "rotateTurnSecret",
  "turnCertificateFile",
  "turnCertificateKeyFile",
] as const satisfies readonly (keyof SettingArguments)[];

/** With `turn`, nothing can be said of a TURN server. */
function usingTurn({ name }: Asker): Checks {
  return {
    problems: (args) =>
      ABOUT_TURN.filter((key) => args[key] !== undefined).map((key) => ({
        key,
        reason: "is given, but the TURN server is that of `turn`, which alone decides about it",
        remedy: `leave out ${key}, or turn for a TURN server of its own`,
      })),
    // A name that is nobody's, and that nothing is made of.
    settingsOf: (args) => ({ ...args, turnHostname: `turn-of-${name}` }),
    fqdns: ({ bbbFqdn }) => ({ hostname: bbbFqdn }),
  };
}
