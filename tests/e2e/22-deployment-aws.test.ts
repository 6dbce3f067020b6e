import { deploymentTests } from "./support/deployment";
import { AWS } from "./support/scenarios";

deploymentTests("embedded", AWS);
