import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { done, FakeHost, run, SCRIPTS } from "./scripts";

const NAME = "turn.example.test";
let host: FakeHost;
let hook: string;

/** The renewal hook, as install-turn.sh writes it, with the host's paths below the fake host's root. */
async function renewalHook(): Promise<string> {
  const text = readFileSync(join(SCRIPTS, "install-turn.sh"), "utf8");
  const body = /^renewal_hook\(\) \{\n([^]*?)^\}$/m.exec(text)![1]!;
  const { output } = await run(["bash", "-c", `hostname=${NAME}\n${body}`]);
  return output.replaceAll("/etc/", `${host.root}/etc/`).replaceAll("-o root -g turnserver ", "");
}

/** A certificate of the name with its key, as certbot has them. */
async function certificate(key: "its own" | "another's" = "its own"): Promise<void> {
  const live = join(host.root, "etc/letsencrypt/live", NAME);
  host.put(`etc/letsencrypt/live/${NAME}/README`, "");
  const make = ["-subj", `/CN=${NAME}`, "-addext", `subjectAltName=DNS:${NAME}`];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const files = ["-keyout", join(live, "privkey.pem"), "-out", join(live, "fullchain.pem")];
  await run(["openssl", "req", "-x509", ...kind, ...files, ...make]);
  if (key === "another's")
    await run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", join(live, "privkey.pem")]);
}

beforeEach(async () => {
  host = new FakeHost();
  host.fake("systemctl");
  hook = join(host.directory, "hook");
  writeFileSync(hook, await renewalHook());
});
afterEach(() => host.remove());

const renew = (env: NodeJS.ProcessEnv = {}) => done(host.start(["sh", hook], env));
const given = (file: string) => join(host.root, "etc/turnserver", file);

describe("after a renewal", () => {
  test("coturn gets certificate and key in files that it may read, and is told without an end to its relays", async () => {
    await certificate();
    expect(await renew()).toEqual({ code: 0, output: "" });
    for (const file of ["fullchain.pem", "privkey.pem"]) {
      expect(readFileSync(given(file), "utf8")).toBe(host.read(`etc/letsencrypt/live/${NAME}/${file}`));
      expect(statSync(given(file)).mode & 0o777).toBe(0o640);
      expect(existsSync(given(`.${file}.new`))).toBe(false);
    }
    expect(host.called("systemctl")).toEqual([
      "systemctl is-active --quiet coturn.service",
      "systemctl kill --signal=SIGUSR2 --kill-who=main coturn.service",
    ]);
  });

  test("a coturn that is off is not told", async () => {
    await certificate();
    host.fake("systemctl", "[[ $1 != is-active ]]");
    expect((await renew()).code).toBe(0);
    expect(host.called("systemctl")).toHaveLength(1);
  });

  test("a key that is another certificate's leaves coturn what it has", async () => {
    await certificate();
    await renew();
    const before = readFileSync(given("fullchain.pem"), "utf8");
    await certificate("another's");
    host.forgetCalls();
    const { code, output } = await renew();
    expect([code, output]).toEqual([1, expect.stringContaining("don't belong together")]);
    expect(readFileSync(given("fullchain.pem"), "utf8")).toBe(before);
    expect(host.called("systemctl")).toEqual([]);
  });

  test("of another name nothing is done", async () => {
    await certificate();
    expect((await renew({ RENEWED_LINEAGE: "/etc/letsencrypt/live/other.test" })).code).toBe(0);
    expect(existsSync(given("fullchain.pem"))).toBe(false);
  });
});
