import { createHash, randomUUID } from "node:crypto";

import type { Call } from "../call";
import type { Cloud } from "../cloud";
import { AwsError, type Answer } from "../errors";
import { buildXml, parseXml, type Node } from "../xml";

/** Answer of EC2 that this layer makes without moto. */
export function ec2Answer(call: Call, content: Node): Answer {
  const root = {
    "@xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/",
    requestId: randomUUID(),
    ...content,
  };
  return {
    status: 200,
    contentType: "text/xml;charset=UTF-8",
    body: buildXml(`${call.action}Response`, root),
  };
}

/** Returns moto's answer with corrections; errors stay as they are. */
export function edit(answer: Answer, change: (root: Node) => void): Answer {
  if (answer.status >= 400) return answer;
  const { name, root } = parseXml(answer.body);
  change(root);
  return { ...answer, body: buildXml(name, root) };
}

/** Implements EC2's idempotency: a used token gets its first answer again, and is refused with other parameters. */
export async function idempotently(
  cloud: Cloud,
  call: Call,
  carryOut: () => Promise<Answer>,
): Promise<Answer> {
  const { ClientToken: token } = call.params;
  if (token === undefined || token === "") return carryOut();
  const { tokens } = cloud.store.state;
  const key = `${call.action} ${token}`;
  const sorted = Object.entries(call.params).sort(([one], [other]) => (one < other ? -1 : 1));
  const fingerprint = createHash("sha256").update(JSON.stringify(sorted)).digest("hex");
  const known = tokens[key];
  if (known && known.fingerprint !== fingerprint) {
    throw new AwsError(
      "IdempotentParameterMismatch",
      "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
    );
  }
  if (known) return { status: 200, contentType: "text/xml;charset=UTF-8", body: known.body };
  const answer = await carryOut();
  if (answer.status < 400) tokens[key] = { fingerprint, body: answer.body };
  return answer;
}
