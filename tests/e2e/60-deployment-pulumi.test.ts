import { deploymentTests } from "./support/deployment";

deploymentTests("pulumi");
