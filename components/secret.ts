import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/**
 * A secret of 256 random bits in hexadecimal digits, which no configuration format or shell needs quoted.
 *
 * @param rotate A new value makes a new secret.
 */
export function randomSecret(name: string, rotate: string, parent: pulumi.Resource): pulumi.Output<string> {
  return pulumi.secret(new random.RandomBytes(name, { length: 32, keepers: { rotate } }, { parent }).hex);
}
