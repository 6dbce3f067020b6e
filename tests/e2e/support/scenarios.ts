import { awsTests } from "./awsTests";
import { allInventory, cloudSecrets, hetznerInventory, type Inventory } from "./clouds";
import { IN_HETZNER_DNS, IN_ROUTE53, type Engine, type Names, type Outputs } from "./sandbox";
import { sandboxTests } from "./sandboxTests";
import type { Secret } from "./secrets";

/** Test of a deployment's suite, which knows the deployment by then. */
export type OwnTests = (
  test: (name: string, body: () => Promise<void>) => void,
  deployment: () => { readonly out: Outputs; readonly engine: Engine },
) => void;

/** Place of a deployment, and its visible properties. */
export interface Scenario {
  readonly name: string;
  /** Arguments of the first update; the later ones need not name the cloud again. */
  readonly first: readonly string[];
  readonly names: Names;
  /** Account that the generated key logs in to. */
  readonly login: string;
  /**
   * True when the hosts' addresses are translated; coturn then takes its own for peers, from which the host keeps it.
   */
  readonly behindNat: boolean;
  /** Bash script that fetches something from the metadata service. */
  readonly metadata: string;
  credentials(): Secret[];
  /** Lists the remaining objects at the cloud. */
  inventory(): Promise<Inventory>;
  /** Tests for this scenario only. */
  readonly ownTests?: OwnTests;
}

export const HETZNER: Scenario = {
  name: "at Hetzner",
  first: [],
  names: IN_HETZNER_DNS,
  login: "root",
  behindNat: false,
  metadata: "curl -sSf -m 5 http://169.254.169.254/hetzner/v1/metadata",
  credentials: () => cloudSecrets(["hetzner"]),
  inventory: hetznerInventory,
  ownTests: sandboxTests(IN_HETZNER_DNS),
};

export const AWS: Scenario = {
  name: "at AWS",
  first: ["--cloud", "aws"],
  names: IN_ROUTE53,
  login: "ubuntu",
  behindNat: true,
  metadata: `
    header="X-aws-ec2-metadata-token"
    token=$(curl -sSf -m 5 -X PUT -H "$header-ttl-seconds: 60" http://169.254.169.254/latest/api/token) || exit
    curl -sSf -m 5 -H "$header: $token" http://169.254.169.254/latest/meta-data/public-ipv4`,
  credentials: () => cloudSecrets(["hetzner", "aws"]),
  inventory: allInventory,
  ownTests: awsTests(IN_ROUTE53),
};
