import type { CloudRuntime } from "../runtime";
import { withParams, type Call, type Service } from "./call";
import { AwsError, type Answer } from "./errors";
import { insist, type Journal } from "./journal";
import type { Store } from "./state";
import { items, child, parseXml, text, type Node } from "./xml";

/** How long things take at the least, in milliseconds. */
export interface Delays {
  /** An instance's in-between states. */
  readonly instance: number;
  /** A volume's, and an attachment's. */
  readonly volume: number;
  /** A change of DNS records until it is in sync. */
  readonly dns: number;
}

/** What the parts of the sandbox's AWS share. */
export interface Cloud {
  readonly region: string;
  readonly store: Store;
  readonly journal: Journal;
  readonly runtime: CloudRuntime;
  readonly delays: Delays;
  readonly nameServers: readonly string[];
  readonly clock: () => number;
  /** Changes are made one after the other, the machine's included. */
  readonly exclusive: <T>(task: () => Promise<T>) => Promise<T>;
  /** Go on with what takes its time: boots, shutdowns, detachments. */
  readonly proceed: () => void;
}

/** Have moto carry out a call; its errors come back as answers. */
export async function forward(cloud: Cloud, call: Call): Promise<Answer> {
  return insist(await cloud.journal.change(call), call.action);
}

/** Have moto answer a call that changes nothing. */
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

/** Ask moto's EC2; throws its errors. */
export async function describe(
  cloud: Pick<Cloud, "journal">,
  action: string,
  params: Record<string, string> = {},
): Promise<Node> {
  return readAnswer(await cloud.journal.read(queryCall("ec2", EC2_VERSION, action, params)), action);
}

/** Change something at moto's EC2 of our own accord; throws its errors. */
export async function alter(
  cloud: Pick<Cloud, "journal">,
  action: string,
  params: Record<string, string> = {},
): Promise<Node> {
  return readAnswer(await cloud.journal.change(queryCall("ec2", EC2_VERSION, action, params)), action);
}

/** The answer's root element; throws where it is an error. */
export function readAnswer(answer: Answer, what: string): Node {
  const { root } = parseXml(insist(answer, what).body);
  if (answer.status < 400) return root;
  const error = child(items(root.Errors, "Error")[0] ?? child(root.Error));
  throw new AwsError(text(error.Code), text(error.Message), answer.status);
}
