/** Texts of the SDK's errors, and ways to tell them apart. */
import { unless } from "../common";

/** Part that all clients of the SDK have, for functions that serve them all. */
interface Client {
  readonly middlewareStack: { add(middleware: never, options: never): void };
}

type Handler = (request: unknown) => Promise<unknown>;

/** Adds the failed operation and its code to the messages of a client's errors, as the provider does. */
export function explained(client: Client, service: string): void {
  const middleware =
    (next: Handler, { commandName = "" }: { commandName?: string }): Handler =>
    async (request) => {
      try {
        return await next(request);
      } catch (error) {
        if (error instanceof Error) {
          const operation = commandName.replace(/Command$/, "");
          error.message = `operation error ${service}: ${operation}, ${reasonOf(error)}`;
        }
        throw error;
      }
    };
  const outermost = { step: "initialize", priority: "high", name: "explained" };
  client.middlewareStack.add(middleware as never, outermost as never);
}

function reasonOf(error: Error & { $metadata?: { httpStatusCode?: number }; messages?: string[] }): string {
  // of Route 53's refused changes, either may be empty
  const message = error.message || (error.messages ?? []).join("; ");
  if (error.$metadata?.httpStatusCode !== undefined) return `api error ${error.name}: ${message}`;
  // a name with several addresses: one error each
  const [cause] = (error as { readonly errors?: readonly Error[] }).errors ?? [];
  return cause?.message ?? message.replace(/^AWS SDK error wrapper for \w*Error: /, "");
}

/** True for an error that AWS answered. */
export function isAnswer(error: unknown): boolean {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== undefined;
}

/** True when AWS answered with one of these codes; "*" at the end of a code stands for any ending. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  if (!(error instanceof Error)) return false;
  return codes.some((code) =>
    code.endsWith("*") ? error.name.startsWith(code.slice(0, -1)) : error.name === code,
  );
}

/** True for EC2's codes of a missing object: "InvalidVolume.NotFound", "InvalidGroup.NotFound" and the like. */
function isNotFound(error: unknown): boolean {
  return (
    error instanceof Error &&
    (/\.NotFound$/.test(error.name) ||
      [
        "InvalidPlacementGroup.Unknown",
        "NoSuchEntity",
        "NoSuchEntityException",
        "NoSuchHostedZone",
        "ResourceNotFoundException",
      ].includes(error.name))
  );
}

/** Returns the result of `action`, or undefined when its object does not exist. */
export const unlessGone = unless(isNotFound);
