/** What the SDK's errors say, and how they are told apart. */
import { unless } from "../common";

/** What every client of the SDK has, for a function that serves them all: their own types have no common one. */
interface Client {
  readonly middlewareStack: { add(middleware: never, options: never): void };
}

type Handler = (request: unknown) => Promise<unknown>;

/** Let a client's errors say, as the provider's do, which operation failed and with which code. */
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
  const causes = error instanceof AggregateError ? (error.errors as Error[]) : [];
  return causes[0]?.message ?? message.replace(/^AWS SDK error wrapper for \w*Error: /, "");
}

/** Whether AWS answered at all. */
export function isAnswer(error: unknown): boolean {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== undefined;
}

/** Whether AWS answered with one of these codes; one that ends in "*" stands for all that begin so. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  if (!(error instanceof Error)) return false;
  return codes.some((code) =>
    code.endsWith("*") ? error.name.startsWith(code.slice(0, -1)) : error.name === code,
  );
}

/** EC2's codes for an object that is not there: "InvalidVolume.NotFound", "InvalidGroup.NotFound" and the like. */
export function isNotFound(error: unknown): boolean {
  return (
    error instanceof Error &&
    (/\.NotFound$/.test(error.name) ||
      ["NoSuchEntity", "NoSuchEntityException", "NoSuchHostedZone", "ResourceNotFoundException"].includes(
        error.name,
      ))
  );
}

/** What `action` gives, or undefined where the object that it is about does not exist. */
export const unlessGone = unless(isNotFound);
