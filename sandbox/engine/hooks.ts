/** Resource hooks: functions of the program that the engine calls back, by name (proto/pulumi/callback.proto). */
import * as grpc from "@grpc/grpc-js";
import { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb";
import { CallbackInvokeRequest, type CallbackInvokeResponse } from "@pulumi/pulumi/proto/callback_pb";
import {
  ResourceHookRequest,
  ResourceHookResponse,
  type RegisterResourceHookRequest,
} from "@pulumi/pulumi/proto/resource_pb";

import type { ResourceState } from "./checkpoint";
import { nameOf } from "../../cli/pulumiEvents";
import { toStruct } from "./wire";

export class Hooks {
  private readonly registered = new Map<string, RegisterResourceHookRequest>();
  private readonly clients = new Map<string, CallbacksClient>();

  register(request: RegisterResourceHookRequest): void {
    if (this.registered.has(request.getName()))
      throw new Error(`resource hook already registered for name "${request.getName()}"`);
    this.registered.set(request.getName(), request);
  }

  /**
   * Runs the hooks before a resource is created or updated; in a preview, only those that ask for it.
   *
   * @param old Former state for an update; undefined for a create.
   * @throws Error of the hook, unless it is to be ignored
   */
  async before(
    names: readonly string[],
    old: ResourceState | undefined,
    state: ResourceState,
    preview: boolean,
    warn: (message: string) => void,
  ): Promise<void> {
    for (const name of names) {
      const hook = this.registered.get(name);
      if (hook === undefined) throw new Error(`hook "${name}" was not registered`);
      if (preview && !hook.getOnDryRun()) continue;
      const error = await this.call(hook, requestOf(old, state));
      if (error === "") continue;
      if (!hook.getIgnoreErrors()) throw new Error(`before hook "${name}" failed: ${error}`);
      warn(`before_${old === undefined ? "create" : "update"} hook "${name}" failed: ${error}`);
    }
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }

  private async call(hook: RegisterResourceHookRequest, request: ResourceHookRequest): Promise<string> {
    const callback = hook.getCallback();
    const target = callback?.getTarget() ?? "";
    const client = this.clients.get(target) ?? new CallbacksClient(target, grpc.credentials.createInsecure());
    this.clients.set(target, client);
    const call = new CallbackInvokeRequest();
    call.setToken(callback?.getToken() ?? "");
    call.setRequest(request.serializeBinary());
    const response = await new Promise<CallbackInvokeResponse>((resolve, reject) =>
      client.invoke(call, (error, answer) => (error === null ? resolve(answer) : reject(error))),
    );
    return ResourceHookResponse.deserializeBinary(response.getResponse_asU8()).getError();
  }
}

function requestOf(old: ResourceState | undefined, state: ResourceState): ResourceHookRequest {
  const request = new ResourceHookRequest();
  request.setUrn(state.urn);
  request.setName(nameOf(state.urn));
  request.setType(state.type);
  request.setNewInputs(toStruct(state.inputs));
  if (old !== undefined) {
    request.setId(old.id ?? "");
    request.setOldInputs(toStruct(old.inputs));
    request.setOldOutputs(toStruct(old.outputs));
  }
  return request;
}
