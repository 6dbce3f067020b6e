import { deploymentTests } from "./support/deployment";
import { HETZNER } from "./support/scenarios";

deploymentTests("pulumi", HETZNER);
