import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import * as path from "node:path";

import { connectScript, installation, type ConnectArgs } from "../../steps/bundle";
import { readScripts } from "../../steps/hostScripts";

const connect = readScripts().find(({ name }) => name === "connect.sh")!;
const args: ConnectArgs = {
  files: [
    connect,
    { name: "lib.sh", content: "say() { echo; }\n" },
    { name: "step", content: "#!/bin/bash\necho \"$HOME\" `date` \\\\ 'x'" },
  ],
  authorizedKeys: ["ssh-ed25519 AAAAoperator", "ssh-ed25519 AAAAown it's me"],
};

const files = [{ name: "connect.sh", content: "install_script() { …; }\n" }, ...args.files.slice(1)];

test("the files are exactly this text", () => {
  expect(installation(files)).toBe(String.raw`install_script connect.sh 755 <<'END_OF_BBB_DEPLOY_FILE'
install_script() { …; }
END_OF_BBB_DEPLOY_FILE

install_script lib.sh 644 <<'END_OF_BBB_DEPLOY_FILE'
say() { echo; }
END_OF_BBB_DEPLOY_FILE

install_script step 755 <<'END_OF_BBB_DEPLOY_FILE'
#!/bin/bash
echo "$HOME" ${"`date`"} \\ 'x'
END_OF_BBB_DEPLOY_FILE
`);
});

test("the script is exactly this, with the files' digest in their place: the state keeps it", () => {
  const digest = createHash("sha256").update(installation(files)).digest("hex");
  expect(connectScript({ ...args, files })).toBe(`install_script() { …; }

install_scripts ${digest}

authorize_keys <<'END_OF_BBB_DEPLOY_FILE'
ssh-ed25519 AAAAoperator
ssh-ed25519 AAAAown it's me
END_OF_BBB_DEPLOY_FILE
`);
});

test("refuses a file that would end early", () => {
  const early = [connect, { name: "wire.sh", content: "a\nEND_OF_BBB_DEPLOY_FILE\nb\n" }];
  expect(() => connectScript({ ...args, files: early })).toThrow(
    /^wire\.sh: the line END_OF_BBB_DEPLOY_FILE would end/,
  );
});

describe("run by bash", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "bundle-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const keysFile = () => path.join(root, "home/.ssh/authorized_keys");

  /** Leaves the files' text on the host, as the program does. */
  function leave(text: string) {
    mkdirSync(`${root}/state`, { recursive: true });
    writeFileSync(left(), text);
  }

  const left = () => path.join(root, "state/installation");

  /** Installs with the host's folder and the account's home moved below `root`. */
  function install(changes: Partial<ConnectArgs> = {}) {
    const script = connectScript({ ...args, ...changes })
      .replace("/usr/local/lib/bbb-deploy", `${root}/lib`)
      .replace("/var/lib/bbb-deploy", `${root}/state`)
      .replace(/^ {2}home=.*$/m, `home=${root}/home`);
    const title = "Connect and install the step scripts";
    return spawnSync("bash", ["-s", "--", "bbb", title, userInfo().username], {
      input: script,
      encoding: "utf8",
    });
  }

  test("installs the files as they are and says so", () => {
    leave(installation(args.files));
    writeFileSync(`${root}/state/numbers`, "connect.sh 1/7\npreflight.sh 2/7\n");
    const { stdout, stderr, status } = install();
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    expect(stdout).toMatch(
      /^Connect and install the step scripts: started \[bbb 1\/7\]\ndone in \d+ s: .* \[bbb 1\/7\]\n$/,
    );
    expect(readFileSync(`${root}/lib/lib.sh`, "utf8")).toBe(args.files[1]!.content);
    expect(readFileSync(`${root}/lib/step`, "utf8")).toBe(`${args.files[2]!.content}\n`);
    expect(statSync(`${root}/lib/lib.sh`).mode & 0o777).toBe(0o644);
    expect(statSync(`${root}/lib/step`).mode & 0o777).toBe(0o755);
    expect(existsSync(left())).toBe(false);
  });

  test.each([
    ["did not come", undefined],
    ["came in part", installation(args.files).slice(0, -9)],
    ["are others", installation(files)],
  ])("installs nothing where the files %s, and says what to do", (_, text) => {
    if (text !== undefined) leave(text);
    const { stdout, stderr, status } = install();
    expect(status).not.toBe(0);
    expect(stderr).toBe(
      `error: ${left()} has not come as it was sent, before this step: run pulumi up again\n`,
    );
    expect(stdout).toMatch(/FAILED after/);
    expect(existsSync(`${root}/lib`)).toBe(false);
  });

  test("brings the authorized keys up to date and leaves those of others alone", () => {
    mkdirSync(path.dirname(keysFile()), { recursive: true });
    // As cloud-init leaves it, and with a key that somebody added by hand.
    writeFileSync(
      keysFile(),
      "ssh-ed25519 AAAAoperator\nssh-ed25519 AAAAhand\nssh-ed25519 AAAAown it's me\n",
    );
    leave(installation(args.files));
    expect(install().status).toBe(0);
    const expected = "ssh-ed25519 AAAAhand\nssh-ed25519 AAAAoperator\nssh-ed25519 AAAAown it's me\n";
    expect(readFileSync(keysFile(), "utf8")).toBe(expected);
    expect(statSync(keysFile()).mode & 0o777).toBe(0o600);

    leave(installation(args.files));
    expect(install().status).toBe(0);
    expect(readFileSync(keysFile(), "utf8")).toBe(expected);

    leave(installation(args.files));
    expect(install({ authorizedKeys: ["ssh-ed25519 AAAAoperator", "ssh-ed25519 AAAAnew"] }).status).toBe(0);
    expect(readFileSync(keysFile(), "utf8")).toBe(
      "ssh-ed25519 AAAAhand\nssh-ed25519 AAAAoperator\nssh-ed25519 AAAAnew\n",
    );
  });

  test("says which step failed", () => {
    leave(installation(args.files));
    writeFileSync(`${root}/lib`, "a file where the folder should be");
    const { stdout, status } = install();
    expect(status).not.toBe(0);
    expect(stdout).toMatch(/FAILED after \d+ s: Connect and install the step scripts \[bbb\]\n$/);
  });
});
