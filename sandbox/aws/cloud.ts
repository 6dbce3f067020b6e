import type { CloudRuntime } from "../runtime";
import { withParams, type Call, type Service } from "./call";
import { AwsError, type Answer } from "./errors";
import { insist, type Journal } from "./journal";
import type { Store } from "./state";
import { items, child, parseXml, text, type Node } from "./xml";

/** Shortest durations, in milliseconds. */
export interface Delays {
  /** Each in-between state of an instance. */
  readonly instance: number;
  /** Each in-between state of a volume and of an attachment. */
  readonly volume: number;
  /** Time until an image is available. */
  readonly image: number;
  /** Time until a change of DNS records is in sync. */
  readonly dns: number;
}

/** Things that the parts of the sandbox's AWS share. */
export interface Cloud {
  readonly region: string;
  readonly store: Store;
  readonly journal: Journal;
  readonly runtime: CloudRuntime;
  readonly delays: Delays;
  readonly nameServers: readonly string[];
  readonly clock: () => number;
  /** Runs changes one after the other, the machine's included. */
  readonly exclusive: <T>(task: () => Promise<T>) => Promise<T>;
  /** Continues work that takes time: boots, shutdowns, detachments. */
  readonly proceed: () => void;
}

/** Has moto carry out a call; its errors are returned as answers. */
export async function forward(cloud: Cloud, call: Call): Promise<Answer> {
  return insist(await cloud.journal.change(call), call.action);
}

/** Has moto answer a call that changes nothing. */
export async function look(cloud: Cloud, call: Call): Promise<Answer> {
  return insist(await cloud.journal.read(call), call.action);
}

export function queryCall(
  service: Service,
  version: string,
  action: string,
  params: Record<string, string>,
): Call {
  const empty: Call = {
    service,
    action,
    method: "POST",
    path: "/",
    contentType: "application/x-www-form-urlencoded; charset=utf-8",
    body: "",
    params: {},
    id: "",
  };
  return withParams(empty, { Action: action, Version: version, ...params });
}

const EC2_VERSION = "2016-11-15";

/** Asks moto's EC2. @throws moto's errors */
export async function describe(
  cloud: Pick<Cloud, "journal">,
  action: string,
  params: Record<string, string> = {},
): Promise<Node> {
  return readAnswer(await cloud.journal.read(queryCall("ec2", EC2_VERSION, action, params)), action);
}

/** Changes something at moto's EC2 without a client's request. @throws moto's errors */
export async function alter(
  cloud: Pick<Cloud, "journal">,
  action: string,
  params: Record<string, string> = {},
): Promise<Node> {
  return readAnswer(await cloud.journal.change(queryCall("ec2", EC2_VERSION, action, params)), action);
}

/** Returns the answer's root element. @throws for an answer that is an error */
export function readAnswer(answer: Answer, what: string): Node {
  const { root } = parseXml(insist(answer, what).body);
  if (answer.status < 400) return root;
  const error = child(items(root.Errors, "Error")[0] ?? child(root.Error));
  throw new AwsError(text(error.Code), text(error.Message), answer.status);
}
