import * as pulumi from "@pulumi/pulumi";

import type { CertificateOutput } from "../bigbluebutton/verification";
import type { HostAddresses } from "./hostOutputs";
import { readArguments, withSecrets, type Checks, type RawArguments } from "./arguments";
import { deploy, type Deployment } from "./deployment";
import { componentTitle, type NamedComponent, type Problem } from "../settings/problems";
import type { SettingArguments } from "./settingArguments";
import { outputsOf } from "./later";
import { offerTurn, shareOf, type TurnOutputs, type TurnShare } from "./turnShare";
import { TurnUsers } from "./turnUsers";

/** Arguments of a {@link BigBlueButton}: the settings of Pulumi.yaml, and the TURN server to use. */
export interface BigBlueButtonArgs extends SettingArguments {
  /**
   * TURN server to use instead of making one. A `SharedTurnServer` or another `BigBlueButton` of the same
   * program relays to this one from then on. Any other TURN server is given by name and secret, and its `turnPeers`
   * must have the address of this one.
   *
   * @default a TURN server of its own
   */
  readonly turn?: TurnOutputs;
}

/** Access to a host, and the request of scripts/check to it. */
export interface HostCheck {
  /** Address for SSH. */
  readonly host: string;
  /** Account that logs in. */
  readonly user: string;
  /** The only one that is accepted, in OpenSSH's form. */
  readonly hostKey: string;
  /** Request of scripts/check. */
  readonly request: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- an unknown is nothing that other languages could have
}

/** Access to the hosts of a deployment, for scripts/check. */
export interface DeploymentCheck {
  /** Access to the BigBlueButton server. */
  readonly bbb: HostCheck;
  /** Access to the TURN host; undefined if it is another component's. */
  readonly turn?: HostCheck;
}

/** Public addresses of a deployment's hosts. */
export interface DeploymentAddresses {
  /** Addresses of the BigBlueButton server. */
  readonly bbb: HostAddresses;
  /** Addresses of the TURN host; undefined if it is another component's. */
  readonly turn?: HostAddresses;
}

/**
 * BigBlueButton server and its TURN server, from an empty cloud account to a verified deployment.
 *
 * The arguments are checked before anything of it is made, and all mistakes are reported at once. Those that decide
 * what is made must be known by then: a preview shows nothing of a deployment with an argument that only another
 * resource's creation tells. The outputs are available once both hosts have been verified to work; those that help to
 * examine a failure (`addresses`, `sshCommand`, `privateKey`, `knownHosts`, `check`) are available before.
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
  /** Address of the web page: "https://bbb.example.org". */
  readonly url: pulumi.Output<string>;
  /** Endpoint of the API, for a front end such as Moodle or Greenlight. */
  readonly apiUrl: pulumi.Output<string>;
  /** Secret with which a front end signs its API calls. */
  readonly sharedSecret: pulumi.Output<string>;
  /** Address of Greenlight; undefined if it is not installed. */
  readonly greenlightUrl: pulumi.Output<string | undefined>;
  /** E-mail address with which Greenlight's administrator signs in; undefined if `greenlight` names none. */
  readonly greenlightAdminEmail: pulumi.Output<string | undefined>;
  /** Generated password of Greenlight's administrator; secret, undefined if `greenlight` names none. */
  readonly greenlightAdminPassword: pulumi.Output<string | undefined>;
  /** Token with which Prometheus asks for metrics; secret, undefined without the argument `metrics`. */
  readonly metricsToken: pulumi.Output<string | undefined>;
  /** Part of Prometheus' configuration that asks the servers; undefined without the argument `metrics`. */
  readonly metricsScrapeConfig: pulumi.Output<string | undefined>;
  /** URLs of the TURN server for clients, in the form of RFC 7065. */
  readonly turnUrls: pulumi.Output<string[]>;
  /** Secret from which credentials for the TURN server are made. */
  readonly turnSecret: pulumi.Output<string>;
  /** Fully qualified name of the TURN server, this component's own or another's. */
  readonly turnHost: pulumi.Output<string>;
  /** Certificates by name, at the last update that verified: end of validity and issuer. */
  readonly certificates: pulumi.Output<Readonly<Record<string, CertificateOutput>>>;
  /** Running release, e.g. "jammy-30". */
  readonly release: pulumi.Output<string>;
  /** Public addresses of the hosts, which outlive these. */
  readonly addresses: pulumi.Output<DeploymentAddresses>;
  /** Password of the backups' repository; secret, undefined without `backup`. */
  readonly backupPassword: pulumi.Output<string | undefined>;
  /** Private key that may delete in the Storage Box of the backups; secret, undefined without one. */
  readonly backupBoxKey: pulumi.Output<string | undefined>;
  /** Command that logs in to the BigBlueButton server, with {@link privateKey}. */
  readonly sshCommand: pulumi.Output<string>;
  /** Private key with which the program logs in to the hosts, in OpenSSH's form; secret. */
  readonly privateKey: pulumi.Output<string>;
  /** Public keys of the hosts, as lines for ~/.ssh/known_hosts. */
  readonly knownHosts: pulumi.Output<string>;
  /** Requests of scripts/check to the hosts, at the last update; secret. */
  readonly check: pulumi.Output<DeploymentCheck>;

  constructor(name: string, args: BigBlueButtonArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { turn, ...settings } = args;
    // A component among the inputs would have this one wait for all that it makes, which waits for this one's address.
    super("bbb:index:BigBlueButton", name, withSecrets(settings), opts);
    const component = { type: "BigBlueButton", name };
    const shared = turn && shareOf(turn);
    const users = shared ? undefined : new TurnUsers(componentTitle(component));
    const made = begin(component, settings, { parent: this, shared, users });
    shared?.users?.add(made, componentTitle(component));
    offerTurn(this, shared ?? { service: made.then((deployment) => deployment?.turn), users });

    const output = outputsOf(made);
    this.url = output(({ outputs }) => outputs.url);
    this.apiUrl = output(({ outputs }) => outputs.apiUrl);
    this.sharedSecret = output(({ outputs }) => outputs.sharedSecret);
    this.greenlightUrl = output(({ outputs }) => pulumi.output(outputs.greenlightUrl));
    this.greenlightAdminEmail = output(({ outputs }) => pulumi.output(outputs.greenlightAdminEmail));
    this.greenlightAdminPassword = output(({ outputs }) => pulumi.output(outputs.greenlightAdminPassword));
    this.metricsToken = output(({ outputs }) => pulumi.output(outputs.metricsToken));
    this.metricsScrapeConfig = output(({ outputs }) => pulumi.output(outputs.metricsScrapeConfig));
    this.turnUrls = output(({ outputs }) => outputs.turnUrls);
    this.turnSecret = output(({ outputs }) => outputs.turnSecret);
    this.turnHost = output(({ outputs, turn }) => outputs.turnHost ?? turn.fqdn);
    this.certificates = output(({ outputs }) => outputs.certificates);
    this.release = output(({ outputs }) => outputs.release);
    this.addresses = output(({ outputs }) => pulumi.output(outputs.addresses));
    this.backupPassword = output(({ outputs }) => pulumi.output(outputs.backupPassword));
    this.backupBoxKey = output(({ outputs }) => pulumi.output(outputs.backupBoxKey));
    this.sshCommand = output(({ outputs }) => outputs.sshCommand);
    this.privateKey = output(({ outputs }) => outputs.privateKey);
    this.knownHosts = output(({ outputs }) => outputs.knownHosts);
    this.check = output(({ outputs }) => outputs.check);
    this.registerOutputs({ url: this.url });
  }
}

/** Deployments with which a deployment shares a TURN server. */
interface Sharing {
  readonly parent: pulumi.Resource;
  readonly shared?: TurnShare;
  readonly users?: TurnUsers;
}

/** Begins the deployment. @returns undefined in a preview that does not know yet what to make */
async function begin(
  component: NamedComponent,
  args: RawArguments,
  { parent, shared, users }: Sharing,
): Promise<Deployment | undefined> {
  const settings = await readArguments(component, args, shared ? usingTurn(component) : ofItsOwn);
  const turn = await shared?.service;
  if (settings === undefined || (shared && turn === undefined)) return undefined;
  return deploy(settings, { parent, turn, users });
}

/** Problem of a pool, which a component does not make yet. */
function poolProblems({ servers }: RawArguments): Problem[] {
  if (servers === undefined || servers === 0) return [];
  return [
    {
      key: "servers",
      reason: `is ${JSON.stringify(servers)}, and a component makes one server: pools are made by this project's own program only`,
      remedy: "leave out servers, and make one component for each server",
    },
  ];
}

const ofItsOwn: Checks = {
  problems: poolProblems,
  settingsOf: (args) => args,
  fqdns: ({ bbb, turn }) => ({
    hostname: bbb.fqdn,
    ...(turn.kind === "own" && { turnHostname: turn.fqdn }),
  }),
};

/** Names of arguments about a TURN server of a deployment's own. */
const ABOUT_TURN = [
  "turnHostname",
  "turnCloud",
  "turnLocation",
  "turnServerType",
  "turnImage",
  "turnPeers",
  "turnStack",
  "rotateTurnSecret",
  "turnCertificateFile",
  "turnCertificateKeyFile",
] as const satisfies readonly (keyof SettingArguments)[];

/** Problem of a switch for a TURN server that is another component's. */
function turnSwitchProblems({ alerts }: RawArguments): Problem[] {
  if (typeof alerts !== "object" || alerts === null || !("turnHealthcheckUrl" in alerts)) return [];
  return [
    {
      key: "alerts.turnHealthcheckUrl",
      reason: "is given, but the TURN server is that of `turn`",
      remedy: "leave out alerts.turnHealthcheckUrl",
    },
  ];
}

/** Checks for `turn`: with it, arguments about a TURN server of its own are mistakes. */
function usingTurn({ name }: NamedComponent): Checks {
  return {
    problems: (args) => [
      ...ABOUT_TURN.filter((key) => args[key] !== undefined).map((key) => ({
        key,
        reason: "is given, but the TURN server is that of `turn`, which alone decides about it",
        remedy: `leave out ${key}, or turn for a TURN server of its own`,
      })),
      ...turnSwitchProblems(args),
      ...poolProblems(args),
    ],
    // A name that is nobody's, and that nothing is made of.
    settingsOf: (args) => ({ ...args, turnHostname: `turn-of-${name}` }),
    fqdns: ({ bbb }) => ({ hostname: bbb.fqdn }),
  };
}
