/**
 * The AWS SDK's clients, loaded with the first resource or look-up of AWS: a stack without any pays nothing for
 * them. Credentials and the endpoint come from the update's environment, never from the process's own.
 */
import type { DLM } from "@aws-sdk/client-dlm";
import type { EC2 } from "@aws-sdk/client-ec2";
import type { IAM } from "@aws-sdk/client-iam";
import type { Route53 } from "@aws-sdk/client-route-53";
import type { STS } from "@aws-sdk/client-sts";

import type { Context } from "../../driver";
import { explained, isAnswer } from "./errors";

type Access = Pick<Context, "env" | "config">;

interface Settings {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  /** One endpoint for all services; undefined for AWS itself. */
  readonly endpoint: string | undefined;
}

type Clients = Readonly<{ ec2: EC2; dlm: DLM; iam: IAM; route53: Route53; sts: STS }>;

/** Tries per request, with the SDK's own back-off: on throttling, server errors and lost connections. */
const ATTEMPTS = 5;

/** Region of IAM and Route 53 in every configuration (their requests are signed for it). */
const GLOBAL_REGION = "us-east-1";

const sessions = new Map<string, Promise<Session>>();

export class Session {
  private constructor(
    readonly region: string,
    /** Number of the account. */
    readonly account: string,
    private readonly clients: Clients,
  ) {}

  get ec2(): EC2 {
    return this.clients.ec2;
  }

  get dlm(): DLM {
    return this.clients.dlm;
  }

  get iam(): IAM {
    return this.clients.iam;
  }

  get route53(): Route53 {
    return this.clients.route53;
  }

  /** Opens a session by asking for the owner of the credentials, the provider's first call. */
  static async open(settings: Settings): Promise<Session> {
    const clients = await load(settings);
    try {
      const { Account: account = "" } = await clients.sts.getCallerIdentity({});
      return new Session(settings.region, account, clients);
    } catch (error) {
      for (const client of Object.values(clients)) client.destroy();
      const why = (error as Error).message;
      throw new Error(
        isAnswer(error)
          ? `AWS does not take the credentials: ${why}. Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`
          : `AWS cannot be reached${settings.endpoint === undefined ? "" : ` at ${settings.endpoint}`}: ${why}`,
        { cause: error },
      );
    }
  }

  destroy(): void {
    for (const client of Object.values(this.clients)) client.destroy();
  }
}

/**
 * Session of a provider's region and credentials, shared by all of its resources.
 * @throws one line when credentials or the region are missing or not accepted
 */
export function session({ env, config }: Access): Promise<Session> {
  const text = (value: unknown) => (value === undefined || value === null ? "" : String(value));
  const settings: Settings = {
    region: text(config.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION),
    accessKeyId: text(config.accessKey ?? env.AWS_ACCESS_KEY_ID),
    secretAccessKey: text(config.secretKey ?? env.AWS_SECRET_ACCESS_KEY),
    sessionToken: text(config.token ?? env.AWS_SESSION_TOKEN) || undefined,
    endpoint: env.AWS_ENDPOINT_URL?.replace(/\/+$/, "") || undefined,
  };
  if (settings.accessKeyId === "" || settings.secretAccessKey === "")
    throw new Error("missing AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  if (settings.region === "") throw new Error("missing AWS region: set it at the provider, or AWS_REGION");
  const key = JSON.stringify(settings);
  const known = sessions.get(key);
  if (known !== undefined) return known;
  const opened = Session.open(settings);
  sessions.set(key, opened);
  opened.catch(() => sessions.delete(key));
  return opened;
}

/** Ends every connection: kept alive, they would hold the process for more than a minute. */
export async function closeSessions(): Promise<void> {
  const open = [...sessions.values()];
  sessions.clear();
  for (const result of await Promise.allSettled(open)) {
    if (result.status === "fulfilled") result.value.destroy();
  }
}

async function load({ endpoint, region, ...credentials }: Settings): Promise<Clients> {
  const [dlm, ec2, iam, route53, sts] = await Promise.all([
    import("@aws-sdk/client-dlm"),
    import("@aws-sdk/client-ec2"),
    import("@aws-sdk/client-iam"),
    import("@aws-sdk/client-route-53"),
    import("@aws-sdk/client-sts"),
  ]);
  const at = (host: string, signedFor: string) => ({
    // always given, or the SDK would look for one in the process's environment
    endpoint: endpoint ?? `https://${host}`,
    region: signedFor,
    credentials,
    maxAttempts: ATTEMPTS,
    retryMode: "standard",
    defaultsMode: "standard" as const,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
  });
  const clients = {
    ec2: new ec2.EC2(at(`ec2.${region}.amazonaws.com`, region)),
    dlm: new dlm.DLM(at(`dlm.${region}.amazonaws.com`, region)),
    iam: new iam.IAM(at("iam.amazonaws.com", GLOBAL_REGION)),
    route53: new route53.Route53(at("route53.amazonaws.com", GLOBAL_REGION)),
    sts: new sts.STS(at(`sts.${region}.amazonaws.com`, region)),
  };
  explained(clients.ec2, "EC2");
  explained(clients.dlm, "DLM");
  explained(clients.iam, "IAM");
  explained(clients.route53, "Route 53");
  explained(clients.sts, "STS");
  return clients;
}
