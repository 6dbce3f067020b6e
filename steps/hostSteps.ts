import * as command from "@pulumi/command";
import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

import { bundle } from "./bundle";
import type { Host } from "../clouds/host";
import { readScripts } from "./hostScripts";
import { hash, scriptHash, stepCommand, type Flags, type StepRun } from "./stepCommand";

/** The provider's own 10 attempts are over in 11 s, less than a reboot takes; these last about a minute. */
const DIAL_ATTEMPTS = 20;

/** After a restart of the host: some six minutes. */
const RESTART_DIAL_ATTEMPTS = 80;

/** How long a new machine may take until SSH answers. */
const FIRST_DIAL = "10m";

/** One step on a host. */
export interface StepArgs {
  /** What the operator reads, e.g. "Install BigBlueButton 3.0". */
  readonly title: string;
  /** A file of scripts/host. */
  readonly script: string;
  /** Anyone on the host can read them: no secrets. */
  readonly flags?: { readonly [name in keyof Flags]: pulumi.Input<Flags[name]> };
  /** For secrets and files. */
  readonly stdin?: pulumi.Input<string>;
  /**
   * Run it as a unit of the host's own, which outlives the connection: for what takes minutes. It may restart the host;
   * a command of its own then sees it to its end.
   */
  readonly unit?: boolean;
  /** What else makes it run again when it changes, beside a new server. */
  readonly triggers?: readonly pulumi.Input<string>[];
  /** Called before it runs, the first time as well as again. */
  readonly beforeRun?: pulumi.ResourceHook;
  /** Called before it runs again. */
  readonly beforeUpdate?: pulumi.ResourceHook;
  /** Steps whose every re-run makes this one necessary again. It waits for them. */
  readonly follows?: readonly Step[];
  /** What else must be there before. */
  readonly dependsOn?: readonly pulumi.Resource[];
}

/** A script to be run on a host that stays, before something of it is changed. */
export type BeforeChange = Pick<StepArgs, "title" | "script" | "flags">;

/** A step that was asked for. */
export interface Step {
  readonly command: command.remote.Command;
  /** Changes with whatever makes the step run again; reveals none of it. */
  readonly digest: pulumi.Output<string>;
}

/**
 * The numbered steps of one host, run over SSH one after the other.
 *
 * The first connects, as soon as the machine answers, and installs the scripts. A step runs again when its flags,
 * its standard input or its script changes, when a step that it follows ran again, and on every new server.
 */
export class HostSteps {
  private readonly files = readScripts();
  private readonly connected: Step;
  private readonly steps: Step[] = [];

  /**
   * @param name Prefix of the names of the steps' resources, e.g. "bbb".
   * @param count How many steps the host will see altogether, the first one included.
   * @param reached Called before any step of an update.
   */
  constructor(
    private readonly name: string,
    private readonly host: Host,
    private readonly count: number,
    private readonly reached: pulumi.ResourceHook,
    parent: pulumi.Resource,
  ) {
    const label = this.label(1);
    const title = "Connect and install the step scripts";
    const stdin = host.authorizedKeys.apply((authorizedKeys) =>
      bundle({ label, title, files: this.files, user: host.user, authorizedKeys }),
    );
    this.connected = this.command(
      "connect",
      { create: this.sudo ? "sudo bash -s" : "bash -s", stdin, dialErrorLimit: -1 },
      {
        parent,
        dependsOn: [...host.prerequisites],
        customTimeouts: { create: FIRST_DIAL, update: FIRST_DIAL },
      },
    );
  }

  /** Every step so far, but for the connection: what that installs counts where it is used. */
  get all(): readonly Step[] {
    return this.steps;
  }

  /**
   * Add the next step.
   *
   * @param suffix Of the resource's name, e.g. "install".
   */
  run(suffix: string, step: StepArgs, parent: pulumi.Resource): Step {
    const { title, script, unit = false, follows = [] } = step;
    const { sudo, files } = this;
    const label = this.label(this.steps.length + 2);
    const digests = pulumi.all(follows.map(({ digest }) => digest));
    const commandLine = (run: StepRun) =>
      pulumi.all([pulumi.output(step.flags ?? {}), digests]).apply(([flags, digests]) =>
        stepCommand({
          sudo,
          label,
          title,
          script,
          run,
          flags,
          scriptHash: scriptHash(files, script, digests),
        }),
      );
    const begun = this.command(
      suffix,
      {
        create: commandLine(unit ? "unit" : "plain"),
        stdin: step.stdin,
        triggers: step.triggers,
        beforeRun: step.beforeRun,
        beforeUpdate: step.beforeUpdate,
        dialErrorLimit: DIAL_ATTEMPTS,
      },
      {
        parent,
        dependsOn: [
          (this.steps.at(-1) ?? this.connected).command,
          ...follows.map(({ command }) => command),
          ...(step.dependsOn ?? []),
        ],
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
    return added;
  }

  /**
   * Have a script run on the host when its flags change, ahead of what they tell of. It does not run the first time, and
   * never when something is deleted: by then the host can be gone.
   *
   * @param suffix Of the resource's name, e.g. "recordings-release".
   * @returns What the change has to wait for.
   */
  runBeforeChange(
    suffix: string,
    { title, script, flags }: BeforeChange,
    parent: pulumi.Resource,
  ): pulumi.Resource {
    const step = {
      sudo: this.sudo,
      label: this.host.role,
      title,
      script,
      run: "plain",
      scriptHash: "",
    } as const;
    return new command.remote.Command(
      `${this.name}-${suffix}`,
      {
        connection: this.connection(DIAL_ATTEMPTS),
        update: pulumi.output(flags ?? {}).apply((flags) => stepCommand({ ...step, flags })),
        logging: "stdout",
        addPreviousOutputInEnv: false,
      },
      {
        parent,
        dependsOn: [this.connected.command],
        hooks: { beforeUpdate: [this.reached] },
        // Some stacks have it with triggers, and with a script that a replacement would run.
        ignoreChanges: ["triggers"],
        additionalSecretOutputs: ["stdout", "stderr"],
      },
    );
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

  private label(number: number): string {
    if (number > this.count) {
      throw new Error(
        `${this.name}: step ${number} of ${this.count}; the count given to HostSteps is too small`,
      );
    }
    return `${this.host.role} ${number}/${this.count}`;
  }

  private command(
    suffix: string,
    args: {
      create: pulumi.Input<string>;
      stdin?: pulumi.Input<string>;
      triggers?: readonly pulumi.Input<string>[];
      beforeRun?: pulumi.ResourceHook;
      beforeUpdate?: pulumi.ResourceHook;
      dialErrorLimit: number;
    },
    opts: pulumi.CustomResourceOptions,
  ): Step {
    const { server } = this.host;
    const { create, stdin, triggers = [], beforeRun, beforeUpdate, dialErrorLimit } = args;
    const begins = beforeRun ? [beforeRun] : [];
    const resource = new command.remote.Command(
      `${this.name}-${suffix}`,
      {
        connection: this.connection(dialErrorLimit),
        create,
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
        deletedWith: server,
        additionalSecretOutputs: ["stdout", "stderr"],
      },
    );
    const digest = pulumi.unsecret(pulumi.all([create, stdin ?? ""]).apply((texts) => hash(texts)));
    return { command: resource, digest };
  }
}
