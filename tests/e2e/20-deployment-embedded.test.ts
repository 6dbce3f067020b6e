import { deploymentTests } from "./support/deployment";

deploymentTests("embedded");
