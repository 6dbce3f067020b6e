import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/**
 * Makes a secret of 64 random letters and digits, which no configuration format, URL or shell needs quoted.
 *
 * It is a RandomPassword, since the id of a RandomBytes or a RandomString is the secret itself, and no state encrypts
 * an id.
 *
 * @param rotate A new value makes a new secret.
 */
export function randomSecret(
  name: string,
  rotate: string,
  parent: pulumi.Resource | undefined,
  { protect }: { readonly protect?: boolean } = {},
): pulumi.Output<string> {
  const { result } = new random.RandomPassword(
    name,
    { length: 64, special: false, keepers: { rotate } },
    { parent, protect },
  );
  return pulumi.secret(result);
}
