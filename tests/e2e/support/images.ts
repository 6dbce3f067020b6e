import { must, onHost, sandbox, type Result } from "./sandbox";

/** scripts/image and scripts/test-server, as their shims start them. */

const operator = (name: string, args: readonly string[]) => ["operator", name, ...args, "--sandbox"];

export const image = (...args: string[]): Promise<Result> => sandbox(operator("image", args));
export const imageArguments = (...args: string[]): string[] => operator("image", args);

/** `scripts/test-server ARGS…`, which must succeed. */
export const testServer = (...args: string[]): Promise<string> => must(operator("testServer", args));

export interface Image {
  readonly id: string;
  readonly role: "bbb" | "turn";
  readonly release: string | null;
  readonly bbb: string | null;
  readonly diskGb: number;
  readonly available: boolean;
}

/** Runs one of its actions that prints a document. @throws with the whole output, for any exit code but 0 */
export async function imageJson<T>(...args: string[]): Promise<T> {
  return JSON.parse(await must(imageArguments(...args, "--json"))) as T;
}

export const images = (): Promise<readonly Image[]> => imageJson<Image[]>("list");

/** Digests of what no two servers may share. */
export async function identityOf(fqdn: string): Promise<Readonly<Record<string, string>>> {
  const command = ["/usr/bin/python3", "-B", "/usr/local/lib/bbb-deploy/identity_check.py"];
  return JSON.parse(await onHost(fqdn, command)) as Record<string, string>;
}
