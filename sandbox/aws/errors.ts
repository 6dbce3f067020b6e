import { randomUUID } from "node:crypto";

import type { Service } from "./call";
import { buildXml } from "./xml";

/** Error answer of the API, with AWS's own codes and messages. */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

/** Error for a feature of AWS that the sandbox doesn't have. Clients repeat a 5xx, but not this one. */
export function notEmulated(what: string): AwsError {
  return new AwsError("UnsupportedOperation", `the sandbox's AWS has no ${what}`);
}

/** Answer in the form that goes over the wire. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error in the form that the service's clients read. */
export function renderError(service: Service, { code, message, status }: AwsError): Answer {
  const id = randomUUID();
  if (service === "dlm") {
    return {
      status,
      contentType: "application/json",
      body: JSON.stringify({ Code: code, Message: message }),
      headers: { "x-amzn-errortype": code, "x-amzn-requestid": id },
    };
  }
  const error = { Code: code, Message: message };
  const body =
    service === "ec2"
      ? buildXml("Response", { Errors: { Error: error }, RequestID: id })
      : buildXml("ErrorResponse", { Error: { Type: "Sender", ...error }, RequestId: id });
  return { status, contentType: "text/xml", body };
}
