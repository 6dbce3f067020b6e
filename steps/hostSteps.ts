import * as command from "@pulumi/command";
import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { quote } from "shell-quote";

import { connectScript, installation } from "./bundle";
import type { Host } from "../clouds/host";
import { readScripts } from "./hostScripts";
import { keep } from "./keep";
import { waitForSsh, type SshSettings } from "./waitForSsh";
import { hash, scriptHash, stepCommand, type Flags, type StepRun } from "./stepCommand";
import { stepOf, type StepScript } from "./table";

/**
 * Number of attempts to connect, for about a minute. The provider's own 10 are over in 11 s, less than a reboot takes.
 */
const DIAL_ATTEMPTS = 20;

/** Number of attempts after a restart of the host: some six minutes. */
const RESTART_DIAL_ATTEMPTS = 80;

/** End of the name of a host's first step. */
const CONNECT = "connect";

/** Time limit for a new machine until SSH answers. */
const FIRST_DIAL = "10m";

/** Step on a host. */
export interface StepArgs {
  readonly script: StepScript;
  /**
   * Title for the operator, e.g. "Install BigBlueButton 3.0".
   *
   * @default the step table's
   */
  readonly title?: string;
  /** Flags. Anyone on the host can read them: no secrets. */
  readonly flags?: { readonly [name in keyof Flags]: pulumi.Input<Flags[name]> };
  /** Standard input, for secrets and files. */
  readonly stdin?: pulumi.Input<string>;
  /** Flags of the same script for its removal from a host that stays. @default it leaves what it made */
  readonly removal?: StepArgs["flags"];
  /** Values that run it again when they change, beside a new server. */
  readonly triggers?: readonly pulumi.Input<string>[];
  /** Seconds beside its time limit, in which it waits for others. @default none */
  readonly waits?: number;
  /** Hook before it runs, at the first time also. */
  readonly beforeRun?: pulumi.ResourceHook;
  /** Hook before it runs again. */
  readonly beforeUpdate?: pulumi.ResourceHook;
  /** Steps whose every re-run runs this one again. It waits for them. */
  readonly rerunsWith?: readonly Step[];
  /** Other resources that must exist before. */
  readonly dependsOn?: readonly pulumi.Resource[];
}

/** File or folder to copy to a host. */
export interface FileCopy {
  readonly source: pulumi.asset.Asset | pulumi.asset.Archive;
  /** Absolute path on the host, which the account that logs in can write to. Its folder is made. */
  readonly path: string;
  /** Values that copy it again when they change, beside a new server. */
  readonly triggers: readonly string[];
}

/** Script to run on a host that stays, before a change of one of its parts. */
export type BeforeChange = Pick<StepArgs, "script" | "flags">;

/** Step that concerns another host. */
export interface ForOther extends Pick<StepArgs, "stdin" | "beforeRun"> {
  readonly script: StepScript;
  readonly flags: NonNullable<StepArgs["flags"]>;
  readonly removal: NonNullable<StepArgs["flags"]>;
  /** Steps whose every re-run runs this one again. */
  readonly rerunsWith?: readonly Step[];
  readonly dependsOn: readonly pulumi.Resource[];
}

/** Registered step. */
export interface Step {
  readonly command: command.remote.Command;
  /** Text that changes when the step runs again; reveals nothing about the reason. */
  readonly digest: pulumi.Output<string>;
}

/** Arguments of {@link HostSteps}. */
export interface HostStepsArgs {
  readonly host: Host;
  /** Settings, for the message when SSH does not answer. */
  readonly settings: SshSettings;
  /** Value of the setting, when this host's steps ask for it. */
  readonly duringMeetings?: string;
  /** Hook before the first step. */
  readonly beforeFirst?: pulumi.ResourceHook;
}

/**
 * Numbered steps of one host, run over SSH one after the other.
 *
 * The first connects, as soon as the machine answers, and installs the scripts. A step runs again when its flags,
 * its standard input or its script changes, when a step that it reruns with did, and on every new server. Its number is
 * none of its inputs: `step` finds it on the host, where it is left before an update's first step.
 */
export class HostSteps {
  private readonly files = readScripts();
  private readonly host: Host;
  private readonly reached: pulumi.ResourceHook;
  /** What the next step waits for: one at a time on a host, where a later one ends one that only looks. */
  private latest: pulumi.Resource;
  private readonly scripts: StepScript[] = ["connect.sh"];
  private readonly steps: Step[] = [];

  /** @param name Prefix of the names of the steps' resources, e.g. "bbb". */
  constructor(
    private readonly name: string,
    { host, settings, duringMeetings, beforeFirst }: HostStepsArgs,
    parent: pulumi.Resource,
  ) {
    this.host = host;
    const { files } = this;
    // By then the program has asked for every step.
    this.reached = waitForSsh(name, host, settings, (client, first) =>
      keep(
        client,
        { ...host, files },
        {
          duringMeetings,
          numbers: this.numbers,
          installation: first === `${name}-${CONNECT}` ? installation(files) : undefined,
        },
      ),
    );
    const { title } = stepOf("connect.sh");
    const stdin = host.authorizedKeys.apply((authorizedKeys) => connectScript({ files, authorizedKeys }));
    const { command: connected } = this.command(
      CONNECT,
      {
        create: quote([...(this.sudo ? ["sudo"] : []), "bash", "-s", "--", host.role, title, host.user]),
        stdin,
        beforeRun: beforeFirst,
        dialErrorLimit: -1,
      },
      {
        parent,
        dependsOn: [...host.dependsOn],
        customTimeouts: { create: FIRST_DIAL, update: FIRST_DIAL },
      },
    );
    this.latest = connected;
  }

  /** Lines for the host, one for each step: "preflight.sh 2/7". */
  get numbers(): string {
    const { scripts } = this;
    return scripts.map((script, i) => `${script} ${i + 1}/${scripts.length}\n`).join("");
  }

  /** Steps so far, without the connection: a script that it installs counts in the step that uses it. */
  get all(): readonly Step[] {
    return this.steps;
  }

  /**
   * Adds the next step.
   *
   * @param suffix End of the resource's name, e.g. "install".
   */
  run(suffix: string, step: StepArgs, parent: pulumi.Resource): Step {
    const { script, title = stepOf(script).title, rerunsWith = [] } = step;
    const { unit = false } = stepOf(script);
    const { sudo, files } = this;
    const { role } = this.host;
    this.scripts.push(script);
    const digests = pulumi.all(rerunsWith.map(({ digest }) => digest));
    const commandLine = (run: StepRun) =>
      pulumi.all([pulumi.output(step.flags ?? {}), digests]).apply(([flags, digests]) =>
        stepCommand({
          sudo,
          role,
          title,
          script,
          run,
          flags,
          waits: step.waits,
          scriptHash: scriptHash(files, script, digests),
        }),
      );
    const begun = this.command(
      suffix,
      {
        create: commandLine(unit ? "unit" : "plain"),
        delete: step.removal && this.removal(script, step.removal),
        stdin: step.stdin,
        triggers: step.triggers,
        beforeRun: step.beforeRun,
        beforeUpdate: step.beforeUpdate,
        dialErrorLimit: DIAL_ATTEMPTS,
      },
      {
        parent,
        dependsOn: [this.latest, ...rerunsWith.map(({ command }) => command), ...(step.dependsOn ?? [])],
      },
    );
    const added = unit
      ? this.command(
          `${suffix}-resumed`,
          { create: commandLine("resume"), dialErrorLimit: RESTART_DIAL_ATTEMPTS },
          { parent, dependsOn: [begun.command] },
        )
      : begun;
    this.steps.push(added);
    this.latest = added.command;
    return added;
  }

  /**
   * Adds a step that concerns another host. It waits for the steps so far, and no later one waits for it. With the other
   * server it runs anew: `removal` first, then itself. Its removal runs also when this host goes, and before that.
   *
   * @param suffix End of the resource's name, which begins with the other host's, e.g. "member".
   */
  runFor(
    other: { readonly name: string; readonly host: Host },
    suffix: string,
    step: ForOther,
    parent: pulumi.Resource,
  ): Step {
    const { script, removal } = step;
    this.scripts.push(script);
    const { sudo, files } = this;
    const { role } = this.host;
    const { title } = stepOf(script);
    const digests = pulumi.all((step.rerunsWith ?? []).map(({ digest }) => digest));
    const create = pulumi.all([pulumi.output(step.flags), digests]).apply(([flags, digests]) =>
      stepCommand({
        sudo,
        role,
        title,
        script,
        run: "plain",
        flags,
        scriptHash: scriptHash(files, script, digests),
      }),
    );
    return this.command(
      { name: other.name, suffix, server: other.host.server },
      {
        create,
        delete: this.removal(script, removal),
        stdin: step.stdin,
        beforeRun: step.beforeRun,
        dialErrorLimit: DIAL_ATTEMPTS,
      },
      { parent, dependsOn: [this.latest, ...step.dependsOn], deleteBeforeReplace: true },
    );
  }

  /**
   * Runs a script on the host when its flags change, before the change that they announce. It does not run the first
   * time, and never before a deletion: the host may no longer exist then.
   *
   * @param suffix End of the resource's name, e.g. "recordings-release".
   * @returns the resource for which the change has to wait
   */
  runBeforeChange(suffix: string, { script, flags }: BeforeChange, parent: pulumi.Resource): pulumi.Resource {
    const step = {
      sudo: this.sudo,
      role: this.host.role,
      title: stepOf(script).title,
      script,
      run: "plain",
      scriptHash: "",
    } as const;
    const released = new command.remote.Command(
      `${this.name}-${suffix}`,
      {
        connection: this.connection(DIAL_ATTEMPTS),
        update: pulumi.output(flags ?? {}).apply((flags) => stepCommand({ ...step, flags })),
        logging: "stdout",
        addPreviousOutputInEnv: false,
      },
      {
        parent,
        dependsOn: [this.latest],
        hooks: { beforeUpdate: [this.reached] },
        // Some stacks have it with triggers, and with a script that a replacement would run.
        ignoreChanges: ["triggers"],
        additionalSecretOutputs: ["stdout", "stderr"],
      },
    );
    this.latest = released;
    return released;
  }

  /** Command that takes away what a step made; a change of its script alone runs nothing. */
  private removal(script: StepScript, given: NonNullable<StepArgs["flags"]>): pulumi.Output<string> {
    const { sudo } = this;
    const { role } = this.host;
    const title = `Undo: ${stepOf(script).title}`;
    return pulumi
      .output(given)
      .apply((flags) => stepCommand({ sudo, role, title, script, run: "plain", flags, scriptHash: "" }));
  }

  /**
   * Copies a file or folder of the machine that deploys to the host. The state has its digest and path only.
   *
   * @param suffix End of the resource's name, e.g. "branding-logo".
   * @returns the resource for which a step has to wait that needs the file
   */
  copy(suffix: string, { source, path, triggers }: FileCopy, parent: pulumi.Resource): pulumi.Resource {
    const { server } = this.host;
    const copied = new command.remote.CopyToRemote(
      `${this.name}-${suffix}`,
      {
        connection: this.connection(DIAL_ATTEMPTS),
        source,
        remotePath: path,
        triggers: [server.id, ...triggers],
      },
      {
        parent,
        dependsOn: [this.latest],
        hooks: { beforeCreate: [this.reached], beforeUpdate: [this.reached] },
        deletedWith: server,
      },
    );
    // The next one waits: two that make the same folder at once fail.
    this.latest = copied;
    return copied;
  }

  private connection(dialErrorLimit: number): pulumi.Output<types.input.remote.ConnectionArgs> {
    return this.host.connection.apply(({ host, user, privateKey, hostKey }) => ({
      host,
      user,
      privateKey,
      hostKey,
      dialErrorLimit,
    }));
  }

  private get sudo(): boolean {
    return this.host.user !== "root";
  }

  /** @param of End of the resource's name; for a step that concerns another host, its whole name and that one's server. */
  private command(
    of: string | { readonly name: string; readonly suffix: string; readonly server: pulumi.CustomResource },
    args: {
      create: pulumi.Input<string>;
      delete?: pulumi.Input<string>;
      stdin?: pulumi.Input<string>;
      triggers?: readonly pulumi.Input<string>[];
      beforeRun?: pulumi.ResourceHook;
      beforeUpdate?: pulumi.ResourceHook;
      dialErrorLimit: number;
    },
    opts: pulumi.CustomResourceOptions,
  ): Step {
    const own = typeof of === "string";
    const server = own ? this.host.server : of.server;
    const { create, stdin, triggers = [], beforeRun, beforeUpdate, dialErrorLimit } = args;
    const begins = beforeRun ? [beforeRun] : [];
    const resource = new command.remote.Command(
      own ? `${this.name}-${of}` : `${of.name}-${of.suffix}`,
      {
        connection: this.connection(dialErrorLimit),
        create,
        ...(args.delete && { delete: args.delete }),
        stdin,
        triggers: [server.id, ...triggers],
        // The operator sees the steps go by, and what only explains a failure once, with the error, which has both streams. A
        // script prints no secret, and should one ever, the state keeps it closed.
        logging: "stdout",
        addPreviousOutputInEnv: false,
      },
      {
        ...opts,
        hooks: {
          beforeCreate: [this.reached, ...begins],
          // What refuses a change comes first: then nobody is asked in vain.
          beforeUpdate: [...(beforeUpdate ? [beforeUpdate] : []), this.reached, ...begins],
        },
        // With this host it goes without a word; what concerns another is undone first.
        ...(own && { deletedWith: server }),
        additionalSecretOutputs: ["stdout", "stderr"],
      },
    );
    const digest = pulumi.unsecret(pulumi.all([create, stdin ?? ""]).apply((texts) => hash(texts)));
    return { command: resource, digest };
  }
}
