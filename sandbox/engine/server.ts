/** Services that a Pulumi program talks to, ResourceMonitor and Engine, over gRPC on loopback. */
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import * as engine from "@pulumi/pulumi/proto/engine_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import * as monitor from "@pulumi/pulumi/proto/resource_pb";

import type { Deployment } from "./deploy";
import type { Display } from "./display";
import { NotServed, readGoal } from "./goal";
import { fromStruct, toStruct } from "./wire";

const { ResourceMonitorFeature: Feature } = monitor;

/** Features that the engine implements; the SDK leaves out or refuses the rest by itself. */
const FEATURES = [
  Feature.RESOURCE_MONITOR_FEATURE_SECRETS,
  Feature.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
  Feature.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS, // aliases reach the engine whole, and are refused by name
  Feature.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
  Feature.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
  Feature.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
  Feature.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
];

/** Names of the features for `supportsFeature`, for SDKs that ask one by one. */
const FEATURE_IDS = [
  "secrets",
  "resourceReferences",
  "aliasSpecs",
  "deletedWith",
  "replaceWith",
  "resourceHooks",
];

export interface Server {
  readonly address: string;
  /** Error that stopped the run; undefined without one. */
  readonly stopped: () => Error | undefined;
  close(): void;
}

type Call<Request> = grpc.ServerUnaryCall<Request, unknown>;

export async function serve(
  deployment: Deployment,
  display: Display,
  project: string,
  stack: string,
  parallel: number,
): Promise<Server> {
  let stopped: Error | undefined;
  let root = "";

  /**
   * Wraps a call. An error that the program can't mend ends the program without a word of its own: the engine reports
   * it.
   */
  const answer =
    <Request, Reply>(handler: (request: Request) => Promise<Reply> | Reply) =>
    (call: Call<Request>, reply: grpc.sendUnaryData<Reply>): void => {
      const run = async () => {
        if (stopped !== undefined) throw stopped;
        return handler(call.request);
      };
      run().then(
        (message) => reply(null, message),
        (error: Error) => {
          if (error instanceof NotServed && stopped === undefined) stopped = error;
          reply({
            code: stopped === undefined ? grpc.status.UNKNOWN : grpc.status.CANCELLED,
            details: error.message,
          });
        },
      );
    };
  const refuse = (what: string) =>
    answer(() => {
      throw new NotServed(what);
    });

  const server = new grpc.Server({
    "grpc.max_receive_message_length": 400 * 1024 * 1024,
    "grpc.max_send_message_length": 400 * 1024 * 1024,
  });
  server.addService(ResourceMonitorService, {
    getDeploymentInfo: answer(() => {
      const info = new monitor.DeploymentInfo();
      info.setProject(project);
      info.setStack(stack);
      info.setOrganization("organization");
      info.setDryrun(deployment.preview);
      info.setParallel(parallel);
      info.setSupportedfeaturesList(FEATURES);
      return info;
    }),
    supportsFeature: answer((request: monitor.SupportsFeatureRequest) => {
      const response = new monitor.SupportsFeatureResponse();
      response.setHassupport(FEATURE_IDS.includes(request.getId()));
      return response;
    }),
    registerResource: answer(async (request: monitor.RegisterResourceRequest) => {
      const { urn, id, outputs, failed } = await deployment.register(readGoal(request));
      const response = new monitor.RegisterResourceResponse();
      response.setUrn(urn);
      response.setId(id);
      response.setObject(toStruct(outputs));
      response.setResult(failed ? monitor.Result.FAIL : monitor.Result.SUCCESS);
      return response;
    }),
    registerResourceOutputs: answer((request: monitor.RegisterResourceOutputsRequest) => {
      deployment.registerOutputs(request.getUrn(), fromStruct(request.getOutputs()));
      return new Empty();
    }),
    invoke: answer(async (request: monitor.ResourceInvokeRequest) => {
      const args = fromStruct(request.getArgs());
      const response = new monitor.ResourceInvokeResponse();
      if (request.getTok() === "pulumi:pulumi:getResource") {
        const state = deployment.find(String(args.urn));
        if (state === undefined) throw new Error(`unknown resource ${String(args.urn)}`);
        response.setReturn(toStruct({ urn: state.urn, id: state.id ?? "", state: state.outputs }));
      } else if (request.getTok() === "pulumi:pulumi:readStackResourceOutputs") {
        const outputs = deployment.stackResources(String(args.stackName));
        response.setReturn(toStruct({ name: args.stackName ?? "", outputs }));
      } else if (request.getTok() === "pulumi:pulumi:readStackOutputs") {
        response.setReturn(
          toStruct({ name: args.name ?? "", outputs: deployment.ownOutputs(String(args.name)) }),
        );
      } else {
        const result = await deployment.invoke(
          request.getTok(),
          args,
          request.getProvider(),
          request.getVersion(),
        );
        response.setReturn(toStruct(result));
      }
      return response;
    }),
    signalAndWaitForShutdown: answer(() => new Empty()),
    call: refuse("calling a method of a resource"),
    readResource: answer((request: monitor.ReadResourceRequest) => {
      const { urn, outputs } = deployment.read(
        request.getType(),
        request.getName(),
        request.getId(),
        request.getParent(),
        fromStruct(request.getProperties()),
      );
      const response = new monitor.ReadResourceResponse();
      response.setUrn(urn);
      response.setProperties(toStruct(outputs));
      return response;
    }),
    existsResource: refuse("existsResource"),
    registerStackTransform: refuse("a stack transform"),
    registerStackInvokeTransform: refuse("an invoke transform"),
    registerResourceHook: answer((request: monitor.RegisterResourceHookRequest) => {
      deployment.hooks.register(request);
      return new Empty();
    }),
    registerErrorHook: refuse("an error hook"),
    registerPackage: refuse("a parameterized package"),
  });
  server.addService(EngineService, {
    log: answer((request: engine.LogRequest) => {
      logged(deployment, display, request);
      return new Empty();
    }),
    getRootResource: answer(() => {
      const response = new engine.GetRootResourceResponse();
      response.setUrn(root);
      return response;
    }),
    setRootResource: answer((request: engine.SetRootResourceRequest) => {
      root = request.getUrn();
      return new engine.SetRootResourceResponse();
    }),
    startDebugging: refuse("debugging the program"),
    requirePulumiVersion: refuse("requirePulumiVersion"),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return {
    address: `127.0.0.1:${port}`,
    stopped: () => stopped,
    close: () => {
      deployment.hooks.close();
      server.forceShutdown();
    },
  };
}

function logged(deployment: Deployment, display: Display, request: engine.LogRequest): void {
  const message = request.getMessage();
  const urn = request.getUrn();
  switch (request.getSeverity()) {
    case engine.LogSeverity.ERROR:
      if (!deployment.isConsequence(message)) display.error(urn, message);
      break;
    case engine.LogSeverity.WARNING:
      display.warning(urn, message);
      break;
    case engine.LogSeverity.INFO:
      // The CLI shows it twice, now and below; what a resource did was shown as it did it.
      if (deployment.find(urn)?.custom === true) display.info(urn, message);
      else display.log(urn, message);
      break;
    default:
  }
}
