/** Reads the CI examples of docs/ci as the two systems do, as far as the examples use them. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { parse as parseWords } from "shell-quote";
import { parse as parseYaml, type CollectionTag, type YAMLSeq } from "yaml";

export const PROJECT = resolve(__dirname, "../../..");
export const EXAMPLES = join(PROJECT, "docs/ci");
export const GITHUB_FILES = readdirSync(join(EXAMPLES, "github")).map((name) =>
  join(EXAMPLES, "github", name),
);
export const GITLAB_FILE = join(EXAMPLES, "gitlab-ci.yml");

/** Text for one shell of a job. */
export interface Script {
  /** Name in messages: "deploy.yml: staging: Update". */
  readonly name: string;
  readonly text: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Job {
  readonly system: "github" | "gitlab";
  readonly name: string;
  readonly scripts: readonly Script[];
}

export interface GithubStep {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Concurrency {
  readonly group: string;
  readonly "cancel-in-progress"?: unknown;
}

export interface GithubJob extends Job {
  readonly system: "github";
  readonly file: string;
  readonly if?: string;
  readonly needs?: string;
  readonly environment?: string | { readonly name: string };
  readonly concurrency?: Concurrency;
  readonly "runs-on"?: string | readonly string[];
  readonly "timeout-minutes"?: number;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
  readonly steps: readonly GithubStep[];
  readonly workflow: GithubWorkflow;
}

export interface GithubWorkflow {
  readonly name: string;
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: unknown;
  readonly env?: unknown;
  readonly concurrency?: Concurrency;
  readonly jobs: Readonly<Record<string, Omit<GithubJob, keyof Job | "file" | "workflow">>>;
}

export interface GitlabJob extends Job {
  readonly system: "gitlab";
  readonly stage: string;
  readonly image: string;
  readonly interruptible: boolean;
  readonly timeout: string;
  readonly rules: readonly {
    readonly if: string;
    readonly when?: string;
    readonly allow_failure?: boolean;
  }[];
  readonly tags?: readonly string[];
  readonly needs?: readonly string[];
  readonly resource_group?: string;
  readonly environment?: string | Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
}

export function githubWorkflow(file: string): GithubWorkflow {
  return parseYaml(readFileSync(file, "utf8")) as GithubWorkflow;
}

/** All jobs of the workflows that run on a machine, not those that only call another workflow. */
export function githubJobs(): GithubJob[] {
  return GITHUB_FILES.flatMap((file) => {
    const workflow = githubWorkflow(file);
    const short = file.slice(file.lastIndexOf("/") + 1);
    return Object.entries(workflow.jobs)
      .filter(([, job]) => job["runs-on"] !== undefined)
      .map(([name, job]) => ({
        ...job,
        system: "github" as const,
        file: short,
        workflow,
        name: `${short}: ${name}`,
        scripts: job.steps
          .filter(({ run }) => run !== undefined)
          .map(({ name: step, run, env }) => ({
            name: `${short}: ${name}: ${step ?? ""}`,
            text: run!,
            env: env ?? {},
          })),
      }));
  });
}

class Reference {
  constructor(readonly path: readonly string[]) {}
}

const referenceTag: CollectionTag = {
  tag: "!reference",
  collection: "seq",
  resolve: (seq) => new Reference((seq as YAMLSeq).toJSON() as string[]),
};

type GitlabFile = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export function gitlabFile(): GitlabFile {
  return parseYaml(readFileSync(GITLAB_FILE, "utf8"), { customTags: [referenceTag] }) as GitlabFile;
}

const GITLAB_KEYWORDS = ["stages", "workflow", "default", "variables", "include", "image"];

/** All jobs, with their parts from `default`, `extends` and `!reference`. */
export function gitlabJobs(): GitlabJob[] {
  const file = gitlabFile();
  return Object.keys(file)
    .filter((name) => !name.startsWith(".") && !GITLAB_KEYWORDS.includes(name))
    .map((name) => {
      const job = { ...file.default, ...extended(file, name) } as unknown as GitlabJob & {
        readonly before_script?: readonly unknown[];
        readonly script: readonly unknown[];
      };
      const lines = [...(job.before_script ?? []), ...job.script].flatMap((line) => resolved(file, line));
      const script = {
        name: `gitlab-ci.yml: ${name}`,
        text: `${lines.join("\n")}\n`,
        env: job.variables ?? {},
      };
      return { ...job, system: "gitlab", name: script.name, scripts: [script] };
    });
}

function extended(file: GitlabFile, name: string): Readonly<Record<string, unknown>> {
  const own = file[name];
  if (own === undefined) throw new Error(`gitlab-ci.yml: ${name} is extended but not there`);
  const { extends: parent, ...rest } = own as { extends?: string };
  return parent === undefined ? rest : { ...extended(file, parent), ...rest };
}

function resolved(file: GitlabFile, line: unknown): string[] {
  if (!(line instanceof Reference)) return [line as string];
  const found = line.path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], file);
  return (found as unknown[]).flatMap((inner) => resolved(file, inner));
}

/** Simple commands of a script as words. `$NAME` stays the same; words that only prepare a command are left out. */
export function commandsOf(script: string): string[][] {
  return script.split("\n").flatMap((line) => {
    const commands: string[][] = [[]];
    let redirected = false;
    for (const word of parseWords(line, (name) => `$${name}`)) {
      if (typeof word === "string") {
        if (!redirected) commands.at(-1)!.push(word);
        redirected = false;
      } else if ("op" in word && /^[<>]/.test(word.op)) redirected = true;
      else commands.push([]);
    }
    return commands.map(withoutPrefix).filter((words) => words.length > 0);
  });
}

function withoutPrefix(words: string[]): string[] {
  const first = words.findIndex((word) => !/^(sudo|env)$|^[A-Z_]+=/.test(word));
  return first < 0 ? [] : words.slice(first);
}

/** True for a job that changes something at the cloud. */
export function deploys(job: Job): boolean {
  return changes(job).length > 0;
}

/** Commands of a job that change something at the cloud. */
export function changes({ scripts }: Job): string[][] {
  return scripts
    .flatMap(({ text }) => commandsOf(text))
    .filter(
      ([command, action]) =>
        (command === "pulumi" && ["up", "destroy"].includes(action ?? "")) ||
        (command === "./scripts/backup" && action === "drill") ||
        (command === "./scripts/image" && ["bake", "prune"].includes(action ?? "")) ||
        (command === "./scripts/test-server" && ["up", "down", "reap"].includes(action ?? "")),
    );
}
