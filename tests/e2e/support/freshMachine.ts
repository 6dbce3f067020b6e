import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { startTime } from "../../../sandbox/hosts/processes";
import { PROJECT } from "./sandbox";

/**
 * Fresh machine of an administrator: a tree made by debootstrap on a disk of the README's size, booted beside the
 * sandbox. It has this machine's settings of package sources and nothing else of it.
 */

export interface Suite {
  readonly distribution: "debian" | "ubuntu";
  readonly codename: string;
}

interface Source {
  readonly uri: string;
  readonly codename: string;
}

/** Size of the disk in the README's requirements. */
const DISK_GB = Number(/(\d+) GB of disk/.exec(readFileSync(join(PROJECT, "README.md"), "utf8"))?.[1]);
const KEYRINGS = "/usr/share/keyrings";
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Packages that an administrator has installed before: an init, and those of the README's first command. */
const INCLUDED = "systemd-sysv,dbus,ca-certificates,git";

function must(command: string, args: readonly string[], timeoutSeconds = 300): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1e9,
    timeout: timeoutSeconds * 1000,
  });
  if (status !== 0)
    throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? `${stdout}${stderr}`.slice(-4000)}`);
  return stdout;
}

/** This machine's own package sources of a distribution. */
function sourcesOf(distribution: Suite["distribution"]): Source[] {
  const format = "$(ORIGIN)|$(REPO_URI)|$(CODENAME)";
  const listed = must("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  return listed.split("\n").flatMap((line) => {
    const [origin = "", uri = "", codename = ""] = line.split("|");
    return origin.toLowerCase() === distribution ? [{ uri: uri.replace(/\/$/, ""), codename }] : [];
  });
}

/** Sources of a suite and its security updates: the hosts of this machine's own sources. */
function mirrorsOf(distribution: Suite["distribution"]): { main?: string; security?: string } {
  const sources = sourcesOf(distribution);
  return {
    main: sources.find(({ codename }) => !codename.includes("-"))?.uri,
    security: sources.find(({ codename }) => codename.endsWith("-security"))?.uri,
  };
}

/** Reason why no tree of a suite can be made here; undefined if it can. */
export function whyNot({ distribution, codename }: Suite): string | undefined {
  const { main } = mirrorsOf(distribution);
  if (main === undefined) return `this machine's package sources have nothing of ${distribution}'s`;
  if (!existsSync(`${KEYRINGS}/${distribution}-archive-keyring.gpg`))
    return `${KEYRINGS}/${distribution}-archive-keyring.gpg is missing`;
  const url = `${main}/dists/${codename}/Release`;
  const { status } = spawnSync("curl", ["-fsSIL", "--max-time", "30", url]);
  return status === 0 ? undefined : `${url} does not answer`;
}

export interface Answer {
  readonly code: number;
  readonly output: string;
}

export class FreshMachine {
  readonly #directory = mkdtempSync(join(process.env.BBB_FRESH_MACHINES ?? "/var/tmp", "bbb-fresh-"));
  readonly #root = join(this.#directory, "root");
  readonly #name = basename(this.#directory);
  readonly #environment: Record<string, string> = { HOME: "/root", LANG: "C.UTF-8", PATH, TERM: "dumb" };
  #nspawn: ChildProcess | undefined;

  constructor(private readonly suite: Suite) {
    // For end-fresh.sh, which removes what a test that was interrupted left.
    writeFileSync(
      join(this.#directory, "owner"),
      `${process.pid} ${startTime(process.pid)} ${readlinkSync("/proc/self/ns/pid")}\n`,
    );
  }

  /**
   * Makes the tree, puts this project's sources at /srv/repository as a git repository, and boots; resolves when it is
   * up.
   */
  async boot(timeoutSeconds: number): Promise<void> {
    this.#makeTree(timeoutSeconds);
    const binds = this.#borrowSettings();
    this.#putRepository();
    const console = openSync(join(this.#directory, "console.log"), "w");
    const script = join(PROJECT, "tests/e2e/support/boot-fresh.sh");
    const options = binds.map((path) => `--bind-ro=${path}`);
    this.#nspawn = spawn(script, [this.#name, this.#root, ...options], {
      stdio: ["ignore", console, console],
    });
    for (let tries = 0; tries < 300; tries++) {
      await sleep(1000);
      const { output } = await this.run("systemctl is-system-running", 30).catch(() => ({ output: "" }));
      if (/^(running|degraded)/m.test(output)) {
        // Any other machine's devtmpfs has them.
        await this.run("for i in $(seq 0 127); do [ -e /dev/loop$i ] || mknod /dev/loop$i b 7 $i; done", 60);
        return;
      }
    }
    throw new Error(
      `the machine does not come up:\n${readFileSync(join(this.#directory, "console.log"), "utf8")}`,
    );
  }

  /** Runs a command as root, logged in; it may leave processes behind. */
  async run(command: string, timeoutSeconds: number): Promise<Answer> {
    const init = this.#init();
    if (init === undefined) throw new Error("the machine is off");
    const variables = Object.entries(this.#environment).map(([key, value]) => `${key}=${value}`);
    const child = spawn(
      "nsenter",
      [
        ...[`--target=${init}`, "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wd", "--"],
        ...["env", "-i", ...variables, "systemd-run", "--quiet", "--wait", "--pipe", "--collect"],
        ...["--property=KillMode=process", ...variables.map((variable) => `--setenv=${variable}`)],
        ...["timeout", String(timeoutSeconds), "bash", "-c", command],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (output += data.toString()));
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (exit) => resolve(exit ?? 137));
    });
    return { code, output };
  }

  /** Switches the machine off and removes it. */
  end(): void {
    must(join(PROJECT, "tests/e2e/support/end-fresh.sh"), [this.#directory]);
  }

  /** Process id of the machine's init on this one. */
  #init(): string | undefined {
    const parents = [String(this.#nspawn?.pid)];
    for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
      const listed = spawnSync("pgrep", ["--parent", parent], { encoding: "utf8" })
        .stdout.split("\n")
        .filter(Boolean);
      for (const pid of listed) {
        const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
        if (/^NSpid:\s+\d+(\s+\d+)*\s+1$/m.test(status)) return pid;
        parents.push(pid);
      }
    }
    return undefined;
  }

  #makeTree(timeoutSeconds: number): void {
    const { distribution, codename } = this.suite;
    const { main = "", security = main } = mirrorsOf(distribution);
    const disk = join(this.#directory, "disk.img");
    must("truncate", ["--size", `${DISK_GB}G`, disk]);
    must("mkfs.ext4", ["-q", "-F", "-E", "nodiscard", disk]);
    mkdirSync(this.#root);
    // No power fails here that anything would have to be flushed for.
    must("mount", ["-o", "loop,barrier=0", disk, this.#root]);
    const keyring = `${KEYRINGS}/${distribution}-archive-keyring.gpg`;
    const script = existsSync(`/usr/share/debootstrap/scripts/${codename}`)
      ? []
      : [`/usr/share/debootstrap/scripts/${distribution === "debian" ? "sid" : "gutsy"}`];
    const proxy = must("apt-config", ["dump", "--format", "%v", "Acquire::http::Proxy"]).trim();
    const debootstrap = [
      ...(proxy === "" ? [] : [`http_proxy=${proxy}`]),
      ...["debootstrap", "--variant=minbase", `--include=${INCLUDED}`, `--keyring=${keyring}`],
      ...[codename, this.#root, main, ...script],
    ];
    must("env", debootstrap, timeoutSeconds);
    const components = distribution === "debian" ? "main" : "main universe";
    const sources = [
      `deb ${main} ${codename} ${components}`,
      `deb ${main} ${codename}-updates ${components}`,
      `deb ${security} ${codename}-security ${components}`,
    ];
    this.#put("etc/apt/sources.list", `${sources.join("\n")}\n`);
    must("systemctl", [`--root=${this.#root}`, "mask", "getty.target", "console-getty.service"]);
  }

  #put(path: string, text: string): void {
    const file = join(this.#root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /**
   * Gives the machine this one's registries, proxies and certificate authorities, which its administrator would have to
   * set.
   *
   * @returns directories of this machine that they name
   */
  #borrowSettings(): string[] {
    this.#put("etc/apt/apt.conf.d/99machine", must("apt-config", ["dump", "Acquire"]));
    for (const directory of ["/etc/apt/auth.conf.d", "/usr/local/share/ca-certificates"])
      if (existsSync(directory))
        cpSync(directory, join(this.#root, directory), { recursive: true, dereference: true });
    must("chroot", [this.#root, "update-ca-certificates"]);
    for (const file of ["/etc/pip.conf", "/root/.pip/pip.conf", "/root/.config/pip/pip.conf"])
      if (existsSync(file)) this.#put(file, readFileSync(file, "utf8"));
    const npm = ["globalconfig", "userconfig"].flatMap((name) => {
      const file =
        spawnSync("npm", ["config", "get", name], { encoding: "utf8", cwd: "/" }).stdout?.trim() ?? "";
      return file !== "" && existsSync(file) ? [readFileSync(file, "utf8").trimEnd()] : [];
    });
    if (npm.length > 0) this.#put("root/.npmrc", `${npm.join("\n")}\n`);
    const told =
      /_proxy$|^npm_config_(registry|cafile|.*proxy)$|^pip_|^(ssl_cert|node_extra_ca|requests_ca|curl_ca)/i;
    const binds: string[] = [];
    for (const [key, value = ""] of Object.entries(process.env)) {
      if (!told.test(key)) continue;
      this.#environment[key] = value;
      if (value.startsWith("/") && existsSync(value) && !existsSync(join(this.#root, value)))
        binds.push(value);
    }
    return binds;
  }

  /** Copies the working tree, including changes that are not committed. */
  #putRepository(): void {
    const repository = join(this.#root, "srv/repository");
    mkdirSync(repository, { recursive: true });
    const git = (...args: string[]): string =>
      must("git", ["-C", repository, "-c", "safe.directory=*", ...args]);
    const listed = spawnSync("git", ["-C", PROJECT, "ls-files", "-co", "--exclude-standard", "-z"], {
      encoding: "utf8",
    });
    const files =
      listed.status === 0
        ? listed.stdout.split("\0").filter(Boolean)
        : readdirSync(PROJECT).filter((name) => name !== "node_modules" && name !== ".git");
    for (const file of files) {
      if (existsSync(join(PROJECT, file)))
        cpSync(join(PROJECT, file), join(repository, file), { recursive: true });
    }
    git("init", "--quiet");
    git("add", "--all", "--force");
    git(
      "-c",
      "user.name=test",
      "-c",
      "user.email=test@example.test",
      "commit",
      "--quiet",
      "--message",
      "The working tree",
    );
  }
}
