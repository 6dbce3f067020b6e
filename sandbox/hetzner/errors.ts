import type { FastifySchemaValidationError } from "fastify/types/schema";

/** Usual HTTP status of each error code; 422 for all others (clouds.md lists them). */
const statuses: Readonly<Record<string, number>> = {
  json_error: 400,
  unauthorized: 401,
  forbidden: 403,
  resource_limit_exceeded: 403,
  not_found: 404,
  conflict: 409,
  uniqueness_error: 409,
  deprecated_api_endpoint: 410,
  resource_unavailable: 412,
  locked: 423,
  protected: 423,
  rate_limit_exceeded: 429,
  server_error: 500,
  bad_gateway: 502,
  unavailable: 503,
  timeout: 504,
};

/** Usual HTTP status of an error code. */
export function statusOf(code: string): number {
  return statuses[code] ?? 422;
}

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly details: unknown };
}

/** Error answer; `details` is always sent, since Hetzner's provider panics without the key. */
export class ApiError extends Error {
  readonly status: number;

  constructor(
    readonly code: string,
    message: string,
    readonly details: unknown = null,
    status?: number,
  ) {
    super(message);
    this.status = status ?? statusOf(code);
  }

  body(): ErrorBody {
    return { error: { code: this.code, message: this.message, details: this.details } };
  }
}

export interface FieldProblem {
  readonly name: string;
  readonly messages: readonly string[];
}

/** Makes a 422 invalid_input that names the fields. */
export function invalidInput(...fields: FieldProblem[]): ApiError {
  const names = fields.map((field) => `'${field.name}'`).join(", ");
  const reasons = fields.flatMap((field) => field.messages).join("; ");
  return new ApiError("invalid_input", `invalid input in field ${names}: ${reasons}`, { fields });
}

/** Makes a 422 invalid_input for one field. */
export function invalidField(name: string, message: string): ApiError {
  return invalidInput({ name, messages: [message] });
}

export function notFound(kind: string, id: string | number): ApiError {
  return new ApiError("not_found", `${kind} with ID '${id}' not found`);
}

export function notUnique(kind: string, name: string): ApiError {
  return new ApiError("uniqueness_error", `${kind} name '${name}' is already used`, {
    fields: [{ name: "name" }],
  });
}

/** Makes an error for a feature that the emulator knows but does not have. */
export function unsupported(what: string): ApiError {
  return new ApiError("unsupported_error", `${what} is not emulated by the sandbox`);
}

/** Turns ajv's findings about a body into Hetzner's form. */
export function fromValidation(problems: readonly FastifySchemaValidationError[]): ApiError {
  const byField = new Map<string, string[]>();
  for (const problem of problems) {
    const { field, message } = describe(problem);
    byField.set(field, [...(byField.get(field) ?? []), message]);
  }
  return invalidInput(...[...byField].map(([name, messages]) => ({ name, messages })));
}

function describe(problem: FastifySchemaValidationError): { field: string; message: string } {
  const path = problem.instancePath.slice(1).split("/").filter(Boolean);
  const { missingProperty, additionalProperty, allowedValues } = problem.params;
  const dotted = (...more: unknown[]): string => [...path, ...more].join(".") || "body";
  if (typeof missingProperty === "string") {
    return { field: dotted(missingProperty), message: "Missing data for required field." };
  }
  if (typeof additionalProperty === "string") {
    return { field: dotted(additionalProperty), message: "Unknown field." };
  }
  if (Array.isArray(allowedValues)) {
    return { field: dotted(), message: `Must be one of: ${allowedValues.join(", ")}.` };
  }
  return { field: dotted(), message: problem.message ?? problem.keyword };
}
