import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { preview, remove, up, type StepEvent } from "../../../sandbox/engine";
import { isLocked, lock } from "../../../sandbox/engine/lock";
import { Workbench } from "./support";

let bench: Workbench;
afterEach(() => bench.close());

describe("an update", () => {
  test("creates everything once, and then nothing", async () => {
    bench = new Workbench(`
      const group = new Group("group");
      const a = new Thing("a", { text: "x" }, { parent: group });
      const b = new Thing("b", { of: a.serial });
      export const serial = b.serial;
      export const numbers = [1, { two: a.id }];
    `);
    const first = await bench.up();
    expect(first.summary).toMatchObject({ created: 4, unchanged: 0 });
    expect(first.output).toMatch(/ \+ {2}test:index:Thing b created \(\d+\.\ds\)\n/);
    expect(first.output).toMatch(/\nResources:\n {4}\+ 4 created\n\nDuration: \S+s\n$/);
    expect(bench.takeCalls()).toEqual(["create a", "create b"]);
    expect(bench.resource("a")?.urn).toBe("urn:pulumi:dev::demo::test:index:Group$test:index:Thing::a");
    expect(bench.resource("b")).toMatchObject({
      id: "id-2",
      inputs: { of: "serial-1" },
      dependencies: [bench.resource("a")?.urn],
      propertyDependencies: { of: [bench.resource("a")?.urn] },
    });
    await expect(bench.outputs()).resolves.toEqual({ serial: "serial-2", numbers: [1, { two: "id-1" }] });

    const before = bench.resources();
    const second = await bench.up();
    expect(second.summary).toMatchObject({ created: 0, updated: 0, replaced: 0, deleted: 0, unchanged: 4 });
    expect(second.output).toMatch(/\nResources:\n {4}4 unchanged\n\nDuration: \S+s\n$/);
    expect(bench.takeCalls()).toEqual([]);
    expect(bench.resources()).toEqual(before);
  });

  test("changes, replaces and deletes what the program changes, replaces and drops", async () => {
    bench = new Workbench(`
      const a = new Thing("a", { text: "x", size: 1 });
      const b = new Thing("b", { of: a.serial });
      new Thing("c", { on: b.id });
      new Thing("d");
      new Thing("e", { tags: { one: 1 } }, { replaceOnChanges: ["tags.*"] });
    `);
    await bench.up();
    bench.takeCalls();
    bench.program(`
      const a = new Thing("a", { text: "x", size: 2 });
      const b = new Thing("b", { of: a.serial });
      new Thing("e", { tags: { one: 2 } }, { replaceOnChanges: ["tags.*"] });
    `);
    const { summary, output } = await bench.up();
    expect(summary).toMatchObject({ created: 0, updated: 1, replaced: 2, deleted: 2, unchanged: 1 });
    const calls = bench.takeCalls();
    expect([...calls].sort()).toEqual(
      ["create a", "create e", "delete a", "delete c", "delete d", "delete e", "update b"].sort(),
    );
    expect(calls.indexOf("create a")).toBeLessThan(calls.indexOf("update b"));
    expect(calls.indexOf("update b")).toBeLessThan(calls.indexOf("delete c"));
    expect(calls.indexOf("update b")).toBeLessThan(calls.indexOf("delete a"));
    expect(output).toMatch(
      / {4}~ 1 updated\n {4}- 2 deleted\n {4}\+-2 replaced\n {4}5 changes\. 1 unchanged\n/,
    );
    expect(bench.resources().filter((state) => state.delete)).toEqual([]);
  });

  test("keeps the old value of ignored changes, but not in a replacement", async () => {
    const program = (text: string, deep: string, size: number) =>
      bench.program(`new Thing("a", { text: "${text}", map: { deep: "${deep}", other: 1 }, size: ${size} },
        { ignoreChanges: ["text", "map.deep"] });`);
    bench = new Workbench("");
    program("one", "one", 1);
    await bench.up();
    program("two", "two", 1);
    expect((await bench.up()).summary).toMatchObject({ unchanged: 2, updated: 0 });
    expect(bench.resource("a")?.inputs).toMatchObject({ text: "one", map: { deep: "one" } });
    program("three", "three", 2);
    expect((await bench.up()).summary).toMatchObject({ replaced: 1 });
    expect(bench.resource("a")?.inputs).toMatchObject({ text: "three", map: { deep: "three" } });
  });

  test("deletes before it replaces, dependents that are replaced by it first", async () => {
    const program = (text: string) =>
      bench.program(`
        const a = new Thing("a", { name: "a", size: "${text}" }, {}, "Named");
        const b = new Thing("b", { size: a.serial }, { dependsOn: a });
        new Thing("c", { note: a.serial, x: b.id });
        new Thing("d", {}, { dependsOn: a });
      `);
    bench = new Workbench("");
    program("1");
    await bench.up();
    bench.takeCalls();
    program("2");
    const { summary } = await bench.up();
    expect(summary).toMatchObject({ replaced: 2, updated: 1, unchanged: 2, created: 0, deleted: 0 });
    expect(bench.takeCalls()).toEqual(["delete b", "delete a", "create a", "create b", "update c"]);
  });

  test("deletes once what two replacements at a time both need gone, and the second does not wait for it", async () => {
    const program = (text: string) =>
      bench.program(`
        const a = new Thing("a", { name: "a", size: "${text}" }, {}, "Named");
        const b = new Thing("b", { name: "b", size: "${text}" }, { dependsOn: a }, "Named");
        const c = new Thing("c", { name: "c", size: "${text}" }, {}, "Named");
        new Thing("server", { on: [a.serial, b.serial, c.serial], ms: 1000 }, { replaceWith: [a, b, c] });
      `);
    bench = new Workbench("");
    program("1");
    await bench.up();
    bench.takeCalls();
    program("2");
    const { errors } = await bench.up();
    expect(errors).toEqual([]);
    const calls = bench.takeCalls();
    expect(calls.filter((call) => call.endsWith("server"))).toEqual(["delete server", "create server"]);
    // Side by side, as the CLI's engine does: whichever of the two was asked for first waits for the server.
    const [first, second] = calls.indexOf("delete a") < calls.indexOf("delete c") ? "ac" : "ca";
    expect(calls.indexOf(`delete ${first}`)).toBeLessThan(calls.indexOf(`delete ${second}`));
    expect(calls.slice(0, 2).sort()).toEqual([`delete ${first}`, "delete server"].sort());
    expect(calls.indexOf("delete b")).toBeGreaterThan(calls.indexOf("create a"));
  });

  test("keeps what is deleted for a replacement that then fails, and goes on from there", async () => {
    const program = (size: number) =>
      bench.program(`
        const host = new Thing("host", { size: ${size}, name: "host" }, {}, "Named");
        const disk = new Thing("disk", { size: host.serial });
        new Thing("note", { text: disk.serial });
      `);
    bench = new Workbench("");
    program(1);
    await bench.up();
    bench.takeCalls();
    program(2);
    const fail = async () => {
      bench.broken.add("host");
      const { errors } = await bench.up();
      bench.broken.clear();
      return errors;
    };
    // The deletion of the host fails: it is tried again, with the disk's.
    expect(await fail()).toEqual(["no luck with host"]);
    expect(bench.takeCalls()).toEqual(["delete disk", "delete host"]);
    expect(bench.resource("disk")?.pendingReplacement).toBe(true);
    expect(bench.resource("host")?.pendingReplacement).toBeUndefined();
    // The creation fails: what is gone is not deleted again, but what depends on it is, as by the CLI's engine.
    bench.onCall = (call) => {
      if (call === "create host") bench.broken.add("host");
    };
    expect((await bench.up()).errors).toEqual(["no luck with host"]);
    bench.broken.clear();
    bench.onCall = undefined;
    expect(bench.takeCalls()).toEqual(["delete disk", "delete host", "create host"]);
    expect(bench.resource("host")?.pendingReplacement).toBe(true);
    const { summary } = await bench.up();
    expect(bench.takeCalls()).toEqual(["delete disk", "create host", "create disk", "update note"]);
    expect(summary).toMatchObject({ replaced: 2, updated: 1, created: 0, deleted: 0 });
    expect(bench.resources().filter(({ pendingReplacement }) => pendingReplacement)).toEqual([]);
    expect((await bench.up()).summary).toMatchObject({ replaced: 0, unchanged: 4 });
  });

  test("has nothing to delete of a replacement that failed half-way", async () => {
    const program = (size: number) =>
      bench.program(`new Thing("host", { size: ${size}, name: "host" }, {}, "Named");`);
    bench = new Workbench("");
    program(1);
    await bench.up();
    program(2);
    bench.onCall = (call) => {
      if (call === "create host") bench.broken.add("host");
    };
    await bench.up();
    bench.takeCalls();
    expect((await bench.destroy()).errors).toEqual([]);
    expect(bench.takeCalls()).toEqual([]);
    expect(bench.resources()).toEqual([]);
  });

  test("replaces by a trigger that changes, but not by one that is new or gone", async () => {
    const program = (trigger: string) =>
      bench.program(
        `new Thing("a", { size: 1 }, { ignoreChanges: ["size"], replacementTrigger: ${trigger} });`,
      );
    bench = new Workbench("");
    const replaced: number[] = [];
    for (const trigger of ["undefined", "'1'", "'1'", "pulumi.output('2')", "undefined", "'3'"]) {
      program(trigger);
      replaced.push((await bench.up()).summary.replaced);
    }
    expect(replaced).toEqual([0, 0, 0, 1, 0, 0]);
  });

  test("deletes in rounds: what needs none of the others waits for all that do", async () => {
    bench = new Workbench(`
      const base = new Thing("base");
      new Thing("slow", { of: base.serial, ms: 500 });
      const alone = new Thing("alone");
      new Thing("quick", { of: alone.serial });
    `);
    await bench.up();
    bench.takeCalls();
    expect((await bench.destroy()).errors).toEqual([]);
    const calls = bench.takeCalls();
    expect(calls.slice(0, 2).sort()).toEqual(["delete quick", "delete slow"]);
    expect(calls.slice(2).sort()).toEqual(["delete alone", "delete base"]);
  });

  test("replaces what it is told to replace, with what is replaced along, and names what it does not know", async () => {
    bench = new Workbench(`
      const a = new Thing("a");
      new Thing("b", {}, { replaceWith: [a] });
      new Thing("c", { of: a.serial });
      new Thing("safe", {}, { protect: true });
    `);
    await bench.up();
    bench.takeCalls();
    const { summary, output } = await bench.up(["a"]);
    expect(summary).toMatchObject({ replaced: 2, updated: 1 });
    expect(output).toContain("a replacing [--replace]");
    expect(bench.takeCalls().sort()).toEqual(
      ["create a", "create b", "delete a", "delete b", "update c"].sort(),
    );
    await expect(bench.up(["nobody"])).rejects.toThrow("stack dev has no resource nobody to replace");
    expect((await bench.up(["safe"])).errors.join()).toMatch(/unable to replace .* protected/);
    expect(bench.takeCalls()).toEqual([]);
  });

  test("lets the program ask for deleteBeforeReplace, or for none", async () => {
    const program = (size: number) =>
      bench.program(`
        new Thing("a", { size: ${size} }, { deleteBeforeReplace: true });
        new Thing("b", { size: ${size}, name: "b" }, { deleteBeforeReplace: false }, "Named");
      `);
    bench = new Workbench("");
    program(1);
    await bench.up();
    bench.takeCalls();
    program(2);
    await bench.up();
    const calls = bench.takeCalls();
    expect(calls.filter((call) => call.endsWith("a"))).toEqual(["delete a", "create a"]);
    expect(calls.filter((call) => call.endsWith("b"))).toEqual(["create b", "delete b"]);
  });

  test("does not replace what is deletedWith a replaced resource, and deletes it with one that goes for good", async () => {
    const program = (size: number) =>
      bench.program(`
        const host = new Thing("host", { size: ${size}, name: "host" }, {}, "Named");
        const step = new Thing("step", { text: "x" }, { deletedWith: host });
        new Thing("bound", { size: host.serial }, { deletedWith: host });
      `);
    bench = new Workbench("");
    program(1);
    await bench.up();
    bench.takeCalls();
    program(2);
    expect((await bench.up()).summary).toMatchObject({ replaced: 2, unchanged: 2 });
    // What is replaced for its inputs is deleted by itself, though the host goes next: the CLI's engine 3.259 does so.
    expect(bench.takeCalls()).toEqual(["delete bound", "delete host", "create host", "create bound"]);
    await bench.destroy();
    expect(bench.takeCalls()).toEqual(["delete host"]);
    expect(bench.resources()).toEqual([]);
  });

  test("carries on with what does not need a resource that fails, and says so once", async () => {
    bench = new Workbench(`
      const a = new Thing("a");
      const b = new Thing("b", { of: a.serial });
      new Thing("c", { of: b.serial }, { dependsOn: b });
      new Thing("slow", { ms: 500 });
      new Thing("after", {}, { dependsOn: [new Thing("d", { ms: 300 })] });
      export const serial = b.serial;
    `);
    bench.broken.add("a");
    const { output, errors, summary } = await bench.up();
    expect(errors).toEqual(["no luck with a"]);
    expect(output.match(/no luck with a/g)).toHaveLength(1);
    expect(output).toContain("test:index:Thing (a):\n    error: no luck with a");
    expect(output).not.toContain("failed to register");
    expect(bench.takeCalls().sort()).toEqual(["create a", "create after", "create d", "create slow"]);
    expect(summary.created).toBe(4);
    expect(bench.resource("a")).toBeUndefined();
    bench.broken.clear();
    expect((await bench.up()).summary).toMatchObject({ created: 3, unchanged: 4 });
  });

  test("deletes nothing when something failed", async () => {
    bench = new Workbench(`new Thing("a", { text: 1 }); new Thing("b");`);
    await bench.up();
    bench.takeCalls();
    bench.program(`new Thing("a", { text: 2 });`);
    bench.broken.add("a");
    expect((await bench.up()).errors).toEqual(["no luck with a"]);
    expect(bench.takeCalls()).toEqual(["update a"]);
    expect(bench.resource("a")?.inputs).toEqual({ text: 1 });
    expect(bench.resource("b")).toBeDefined();
  });

  test("keeps what a create left behind, and continues it", async () => {
    bench = new Workbench(`new Thing("a", { half: true });`);
    expect((await bench.up()).errors).toEqual(["only half done"]);
    expect(bench.resource("a")).toMatchObject({ id: "id-1", initErrors: ["only half done"] });
    bench.takeCalls();
    expect((await bench.up()).summary).toMatchObject({ updated: 1 });
    expect(bench.takeCalls()).toEqual(["update a"]);
    expect(bench.resource("a")?.initErrors).toBeUndefined();
  });

  test("bounds an operation by customTimeouts", async () => {
    bench = new Workbench(`new Thing("a", { forever: true }, { customTimeouts: { create: "200ms" } });`);
    expect((await bench.up()).errors).toEqual(["timed out"]);
  });

  test("reports an error of the program's own, with nothing lost of what runs", async () => {
    bench = new Workbench(`
      new Thing("slow", { ms: 700 });
      setTimeout(() => { throw new Error("the program is wrong"); }, 200);
    `);
    const { errors, output } = await bench.up();
    expect(errors).toHaveLength(1);
    expect(output).toContain("the program is wrong");
    expect(bench.resource("slow")).toBeDefined();
  });
});

describe("stack outputs", () => {
  test("outlive an update that failed, and go when an update no longer gives them", async () => {
    bench = new Workbench(`export const kept = 1; export const changed = 1;`);
    await bench.up();
    bench.program(`throw new Error("bad settings");`);
    expect((await bench.up()).errors).toHaveLength(1);
    await expect(bench.outputs()).resolves.toEqual({ kept: 1, changed: 1 });
    bench.program(`export const changed = 2;`);
    await bench.up();
    await expect(bench.outputs()).resolves.toEqual({ changed: 2 });
  });
});

describe("a preview", () => {
  test("calls nothing, writes nothing, and knows what it cannot know", async () => {
    bench = new Workbench(`
      const a = new Thing("a", { size: 1 });
      const b = new Thing("b", { of: a.serial });
      a.serial.apply((serial) => { throw new Error("applied " + serial); });
      export const known = "yes";
      export const serial = pulumi.secret(b.serial);
    `);
    const { summary, output } = await bench.preview();
    expect(summary.created).toBe(3);
    expect(output).toMatch(/^ {4}known: yes\n {4}and serial$/m);
    expect(output).toMatch(/Resources:\n {4}\+ 3 to create\n/);
    expect(bench.calls).toEqual([]);
    expect(existsSync(join(bench.stateDir, "stacks"))).toBe(false);
  });

  test("shows a change, the replacement it makes, and deletions", async () => {
    bench = new Workbench(`
      const a = new Thing("a", { size: 1 });
      new Thing("b", { size: a.serial }); new Thing("c");
    `);
    await bench.up();
    const before = bench.text();
    bench.takeCalls();
    bench.program(`
      const a = new Thing("a", { size: 2 });
      new Thing("b", { size: a.serial });
    `);
    const { summary } = await bench.preview();
    expect(summary).toMatchObject({ replaced: 2, deleted: 1, unchanged: 1 });
    expect(bench.calls).toEqual([]);
    expect(bench.text()).toBe(before);
  });
});

describe("secrets", () => {
  const SECRET = "correct horse battery staple";

  test("are encrypted in the checkpoint, hidden in print, and given on request", async () => {
    bench = new Workbench(
      `
      const config = new pulumi.Config();
      const a = new Thing("a", { text: config.requireSecret("word"), map: { deep: pulumi.secret("${SECRET}") }, plain: "seen" });
      const b = new Thing("b", { given: a.serial }, { additionalSecretOutputs: ["serial"] });
      export const word = (a as any).text;
      export const nested = { list: [pulumi.secret("${SECRET}"), "open"] };
      export const serial = b.serial;
    `.replace("{ serial: undefined", "{ text: undefined, serial: undefined"),
      "config:\n  word:\n    type: string\n    secret: true\n",
    );
    bench.config = { word: SECRET };
    const { output } = await bench.up();
    const text = bench.text();
    expect(output).not.toContain(SECRET);
    expect(output).toMatch(/^ {4}and nested, serial, word$/m);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain("serial-2");
    expect(text).toContain("seen");
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
    expect(bench.resource("a")?.inputs.text).toEqual({
      ...secret,
      ciphertext: expect.stringMatching(/^v1:\S+:\S+$/),
    });
    expect(bench.resource("a")?.outputs.text).toMatchObject(secret);
    expect(bench.resource("b")?.outputs.serial).toMatchObject(secret);
    await expect(bench.outputs()).resolves.toMatchObject({ serial: "[secret]" });
    await expect(bench.outputs(true)).resolves.toMatchObject({
      serial: "serial-2",
      nested: { list: [SECRET, "open"] },
    });
    expect(statSync(join(bench.stateDir, "passphrase")).mode & 0o777).toBe(0o600);
    expect(statSync(join(bench.stateDir, "stacks", "dev.json")).mode & 0o777).toBe(0o600);

    expect((await bench.up()).summary).toMatchObject({ unchanged: 3, updated: 0 });
    bench.config = { word: "another" };
    expect((await bench.up()).summary).toMatchObject({ updated: 1, unchanged: 2 });
  });

  test("a checkpoint has the form of `pulumi stack export`", async () => {
    bench = new Workbench(
      `new Thing("a", { text: pulumi.secret("x") }, { protect: true, customTimeouts: { create: "1m30s" } });`,
    );
    await bench.up();
    const exported = JSON.parse(bench.text());
    expect(exported).toMatchObject({
      version: 3,
      deployment: {
        secrets_providers: {
          type: "passphrase",
          state: { salt: expect.stringMatching(/^v1:\S+:v1:\S+:\S+$/) },
        },
        pending_operations: [],
      },
    });
    expect(exported.deployment.resources.map(({ type }: { type: string }) => type)).toEqual([
      "pulumi:pulumi:Stack",
      "pulumi:providers:test",
      "test:index:Thing",
    ]);
    const { provider, ...thing } = bench.resource("a") ?? {};
    expect(provider).toBe(`${bench.resource("default_1_0_0")?.urn}::${bench.resource("default_1_0_0")?.id}`);
    expect(thing).toMatchObject({
      custom: true,
      protect: true,
      customTimeouts: { create: 90 },
      parent: bench.resources()[0]?.urn,
    });
  });

  test("another passphrase does not open a checkpoint", async () => {
    bench = new Workbench(`new Thing("a", { text: pulumi.secret("x") });`);
    await bench.up();
    const { writeFileSync } = await import("node:fs");
    writeFileSync(join(bench.stateDir, "passphrase"), "another");
    await expect(bench.up()).rejects.toThrow(/passphrase in .* does not open the checkpoint/);
  });
});

describe("protection", () => {
  const PROGRAM = `
    const base = new Thing("base");
    new Thing("kept", { of: base.serial, size: 1 }, { protect: true });
    new Thing("other", { of: base.serial });
    export const here = base.serial;
  `;

  test("destroy leaves what is protected and what that needs, and the next up goes on with it", async () => {
    bench = new Workbench(PROGRAM);
    await bench.up();
    bench.takeCalls();
    const { summary, output } = await bench.destroy();
    expect(summary).toMatchObject({ deleted: 1, protectedKept: ["kept"] });
    expect(output).toContain("kept is protected and was kept");
    expect(bench.takeCalls()).toEqual(["delete other"]);
    expect(bench.resource("base")).toBeDefined();
    expect((await bench.up()).summary).toMatchObject({ created: 1, unchanged: 3 });
    expect(bench.takeCalls()).toEqual(["create other"]);
  });

  test("neither a replacement nor a change of the program deletes it", async () => {
    bench = new Workbench(PROGRAM);
    await bench.up();
    bench.takeCalls();
    bench.program(PROGRAM.replace("size: 1", "size: 2"));
    expect((await bench.up()).errors[0]).toMatch(/unable to replace .*kept.* as it is protected/);
    bench.program(`new Thing("base"); new Thing("other");`);
    expect((await bench.up()).errors).toEqual([
      expect.stringMatching(/no longer in the program, but protected/),
    ]);
    expect(bench.takeCalls().filter((call) => call !== "update other")).toEqual([]);
    expect(bench.resource("kept")).toBeDefined();
  });

  test("it can be taken away in the program, and then the resource goes", async () => {
    bench = new Workbench(PROGRAM);
    await bench.up();
    bench.program(PROGRAM.replace("protect: true", "protect: false"));
    expect((await bench.up()).summary).toMatchObject({ unchanged: 4 });
    expect((await bench.destroy()).summary).toMatchObject({ deleted: 4, protectedKept: [] });
    expect(bench.resources()).toEqual([]);
  });
});

describe("deletion", () => {
  test("goes in reverse dependency order, and keeps what is to be retained", async () => {
    bench = new Workbench(`
      const group = new Group("group");
      const a = new Thing("a", { ms: 50 });
      const b = new Thing("b", { of: a.serial, ms: 50 }, { parent: group });
      new Thing("c", { ms: 50 }, { dependsOn: b });
      new Thing("d", {}, { retainOnDelete: true, dependsOn: a });
    `);
    await bench.up();
    bench.takeCalls();
    expect((await bench.destroy()).summary).toMatchObject({ deleted: 6 });
    expect(bench.takeCalls()).toEqual(["delete c", "delete b", "delete a"]);
    expect(bench.resources()).toEqual([]);
  });

  test("one that fails keeps what it needs, and the next destroy goes on", async () => {
    bench = new Workbench(`const a = new Thing("a"); new Thing("b", { of: a.serial }); new Thing("c");`);
    await bench.up();
    bench.takeCalls();
    bench.broken.add("b");
    expect((await bench.destroy()).errors).toEqual(["no luck with b"]);
    expect(bench.takeCalls().sort()).toEqual(["delete b", "delete c"]);
    bench.broken.clear();
    await bench.destroy();
    expect(bench.takeCalls()).toEqual(["delete b", "delete a"]);
  });
});

describe("the stack's own resources", () => {
  const READER = `
    new Thing("b", { text: "new" });
    export const seen = pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName: "organization/demo/dev" })
      .then(({ outputs }: any) => Object.values(outputs).map(({ type, outputs }: any) => type + " " + (outputs.text ?? "")));
  `;

  test("are told as the last update left them, by previews, too", async () => {
    bench = new Workbench(`new Thing("a", { text: pulumi.secret("old") });`);
    await bench.up();
    bench.program(READER);
    expect((await bench.preview()).errors).toEqual([]);
    expect((await bench.up()).errors).toEqual([]);
    const { seen } = await bench.outputs(true);
    expect(seen).toContain("test:index:Thing old");
    expect(seen).not.toContain("test:index:Thing new");
  });

  test("of another stack are not", async () => {
    bench = new Workbench(READER.replace("demo/dev", "demo/other"));
    expect((await bench.up()).errors.join()).toContain("the resources of the stack organization/demo/other");
  });
});

describe("the stack's own outputs", () => {
  const READER = `
    new Thing("b", { text: "new" });
    export const word = "new";
    export const seen = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name: "organization/demo/dev" })
      .then(({ outputs }: any) => outputs.word ?? "none");
  `;

  test("are told as the last update left them, by previews, too", async () => {
    bench = new Workbench(READER);
    await bench.up();
    expect((await bench.outputs(true)).seen).toBe("none");
    bench.program(READER.replace('word = "new"', 'word = "newer"'));
    expect((await bench.preview()).errors).toEqual([]);
    await bench.up();
    expect(await bench.outputs(true)).toMatchObject({ word: "newer", seen: "new" });
  });

  test("of another stack are not", async () => {
    bench = new Workbench(READER.replace("demo/dev", "demo/other"));
    expect((await bench.up()).errors.join()).toContain("the outputs of the stack organization/demo/other");
  });
});

describe("another stack's outputs", () => {
  const OTHER = `export const open = "seen"; export const word = pulumi.secret("correct horse");`;
  const reader = (stack: string) => `
    const other = new pulumi.StackReference("other", { name: "organization/demo/${stack}" });
    const a = new Thing("a", { open: other.requireOutput("open"), word: other.requireOutput("word") });
    export const open = other.requireOutput("open");
    export const word = other.requireOutput("word");
  `;
  const upOther = () => up({ ...bench.options(), stack: "other" });

  test("are read in previews and updates, and are as secret as they were", async () => {
    bench = new Workbench(OTHER);
    await upOther();
    bench.program(reader("other"));
    expect((await bench.preview()).errors).toEqual([]);
    const { output, errors, summary } = await bench.up();
    expect(errors).toEqual([]);
    expect(summary.created).toBe(2);
    expect(output + bench.text()).not.toContain("correct horse");
    await expect(bench.outputs()).resolves.toEqual({ open: "seen", word: "[secret]" });
    await expect(bench.outputs(true)).resolves.toEqual({ open: "seen", word: "correct horse" });
    expect(bench.resource("other")).toMatchObject({
      external: true,
      id: "organization/demo/other",
      outputs: { secretOutputNames: ["word"], outputs: { open: "seen" } },
    });
  });

  test("are read anew by each update, and left alone by a destroy", async () => {
    bench = new Workbench(OTHER);
    await upOther();
    bench.program(reader("other"));
    await bench.up();
    expect((await bench.up()).summary).toMatchObject({ unchanged: 2 });
    bench.program(OTHER.replace("seen", "another"));
    await upOther();
    bench.program(reader("other"));
    expect((await bench.up()).summary).toMatchObject({ updated: 1 });
    await expect(bench.outputs()).resolves.toMatchObject({ open: "another" });
    expect((await bench.destroy()).summary).toMatchObject({ deleted: 2 });
    expect(bench.resources()).toEqual([]);
  });

  test("of a stack that is not there are an error, and what needs them is not made", async () => {
    bench = new Workbench(reader("nobody"));
    const { errors } = await bench.up();
    expect(errors).toEqual(['unknown stack "organization/demo/nobody"']);
    expect(bench.takeCalls()).toEqual([]);
  });
});

describe("a hook before an update", () => {
  const program = (text: string, ...options: string[]) => `
    const hook = new pulumi.ResourceHook("ask", async ({ name, oldInputs, newInputs, oldOutputs }) => {
      pulumi.log.info(\`\${name}: \${oldInputs?.text} to \${newInputs?.text}, \${oldOutputs?.serial}\`);
      if (newInputs?.text === "bad") throw new Error("not now");
    }, { ${options.join(", ")} });
    const a = new Thing("a", { text: "${text}" }, { hooks: { beforeUpdate: [hook] } });
    new Thing("b", { text: a.serial });`;

  test("is called with both sides of it, for updates alone", async () => {
    bench = new Workbench(program("one"));
    expect((await bench.up()).output).not.toContain("one to");
    bench.program(program("two"));
    expect((await bench.up()).output).toContain("a: one to two, serial-1");
    expect((await bench.up()).output).not.toContain("two to");
  });

  test("refuses it before the provider is called; what needs the resource is left alone, and the next update asks again", async () => {
    bench = new Workbench(program("one"));
    await bench.up();
    bench.takeCalls();
    bench.program(program("bad"));
    const { errors } = await bench.up();
    expect(errors).toEqual(['before hook "ask" failed: not now']);
    expect(bench.takeCalls()).toEqual([]);
    expect(bench.resource("a")).toMatchObject({ inputs: { text: "one" } });
    bench.program(program("good"));
    expect((await bench.up()).errors).toEqual([]);
    expect(bench.takeCalls()).toEqual(["update a"]);
  });

  test("is called in previews, and its error ignored, where it says so", async () => {
    bench = new Workbench(program("one"));
    await bench.up();
    bench.program(program("bad"));
    expect((await bench.preview()).errors).toEqual([]);
    bench.program(program("bad", "onDryRun: true"));
    expect((await bench.preview()).errors).toEqual(['before hook "ask" failed: not now']);
    bench.program(program("bad", "ignoreErrors: true"));
    const { errors, output } = await bench.up();
    expect(errors).toEqual([]);
    expect(output).toContain('hook "ask" failed: not now');
  });
});

describe("a hook before a creation", () => {
  const program = (...options: string[]) => `
    const hook = new pulumi.ResourceHook("ask", async ({ name, oldInputs, newInputs }) => {
      pulumi.log.info(\`\${name}: \${oldInputs} to \${newInputs?.text}\`);
      if (newInputs?.text === "bad") throw new Error("not now");
    });
    ${options.join("\n    ")}`;
  const thing = (text: string) =>
    `new Thing("a", { text: "${text}", replaceable: "${text}" }, { hooks: { beforeCreate: [hook] } });`;

  test("refuses it before the provider is called; a preview does not ask", async () => {
    bench = new Workbench(program(thing("bad")));
    expect((await bench.preview()).errors).toEqual([]);
    expect((await bench.up()).errors).toEqual(['before hook "ask" failed: not now']);
    expect(bench.takeCalls()).toEqual([]);
    bench.program(program(thing("good")));
    const { errors, output } = await bench.up();
    expect(errors).toEqual([]);
    expect(output).toContain("a: undefined to good");
    expect((await bench.up()).output).not.toContain("to good");
  });
});

describe("what is not served stops the run and is named", () => {
  test.each([
    [
      "aliases",
      `new Thing("a", {}, { aliases: [{ name: "b" }] });`,
      /option aliases of test:index:Thing "a"/,
    ],
    ["import", `new Thing("a", {}, { import: "7" });`, /option import of/],
    ["hideDiffs", `new Thing("a", {}, { hideDiffs: ["x"] });`, /option hideDiffs of/],
    [
      "another hook than beforeUpdate",
      `new Thing("a", {}, { hooks: { afterCreate: [() => {}] } });`,
      /option hooks, but for beforeCreate and beforeUpdate of test:index:Thing "a"/,
    ],
    ["a type", `new Thing("a", {}, {}, "Unheard");`, /resource type test:index:Unheard/],
    ["a package", `new pulumi.CustomResource("other:index:X", "a", {});`, /package other/],
    ["a function", `pulumi.runtime.invoke("test:index:none", {});`, /function test:index:none/],
    ["get", `new Thing("a", {}, { id: "7" });`, /reading an existing resource/],
    [
      "another project's stack",
      `new pulumi.StackReference("organization/x/dev");`,
      /stack organization\/x\/dev of another project/,
    ],
    [
      "another type",
      `
      import * as random from "@pulumi/random";
      new random.RandomPet("a");`,
      /resource type random:index\/randomPet:RandomPet/,
    ],
    [
      "an input",
      `
      import * as hcloud from "@pulumi/hcloud";
      new hcloud.Server("s", { serverType: "cx23", image: "ubuntu-24.04", networks: [{ networkId: 1 }] });`,
      /^networks of hcloud:index\/server:Server "s"/,
    ],
  ])("%s", async (_name, program, named) => {
    bench = new Workbench(`new Thing("first"); ${program}`);
    const { errors, output } = await bench.up();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(named);
    expect(errors[0]).toMatch(/is not served by the embedded engine: use --engine pulumi$/);
    expect(output).not.toContain("unhandled");
  });

  test.each([
    ["transforms", `new Thing("a", {}, { transforms: [() => undefined] });`],
    ["a stack transform", `pulumi.runtime.registerResourceTransform(() => undefined);`],
  ])("%s, which the SDK itself refuses", async (_name, program) => {
    bench = new Workbench(program);
    const { errors } = await bench.up();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/transform/i);
    expect(bench.calls).toEqual([]);
  });
});

describe("providers and functions", () => {
  test("an explicit provider configures what is made with it; functions are called in previews too", async () => {
    bench = new Workbench(`
      class Provider extends pulumi.ProviderResource {}
      const provider = new Provider("test", "here", { place: "there" });
      new Thing("a", {}, { provider });
      const look = (options = {}) => pulumi.runtime.invoke("test:index:look", { key: "k" }, options);
      export const plain = look();
      export const configured = look({ provider });
    `);
    bench.config = { "test:place": "default" };
    await bench.preview();
    expect((await bench.up()).summary).toMatchObject({ created: 3 });
    await expect(bench.outputs()).resolves.toEqual({
      plain: { found: "k!", config: "default" },
      configured: { found: "k!", config: "there" },
    });
    expect((await bench.up()).summary).toMatchObject({ unchanged: 3 });
    expect(bench.resource("a")?.provider).toBe(
      `${bench.resource("here")?.urn}::${bench.resource("here")?.id}`,
    );
  });

  test("an invoke's failure reaches the program in its own words", async () => {
    bench = new Workbench(`
      import * as hcloud from "@pulumi/hcloud";
      export const said = hcloud.getZone({ name: "x.test" }).then(() => "", (error) => error.message);
    `);
    await bench.up();
    await expect(bench.outputs()).resolves.toEqual({ said: "Missing Hetzner Cloud API token" });
  });
});

test("the engine pulumi says what it needs where it is not there", async () => {
  bench = new Workbench("");
  const { PATH } = process.env;
  process.env.PATH = "/nowhere";
  try {
    await expect(up({ ...bench.options(), engine: "pulumi" })).rejects.toThrow(
      "the engine pulumi needs the `pulumi` CLI on PATH: install it, or use --engine embedded",
    );
  } finally {
    process.env.PATH = PATH;
  }
});

test("each step is told with what it changes, in a preview what it would change", async () => {
  const steps: string[] = [];
  const told = () => ({
    ...bench.options(),
    onStep: ({ step, urn, type, paths }: StepEvent) =>
      steps.push([step, urn.split("::").at(-1), type, ...paths].join(" ")),
  });
  bench = new Workbench(
    `new Thing("a", { labels: { stack: "s", expires: "1" } }); new Thing("b"); new Thing("c");`,
  );
  await preview(told());
  expect(steps.splice(0).sort()).toEqual(["a", "b", "c"].map((name) => `create ${name} test:index:Thing`));
  await bench.up();
  bench.program(`new Thing("a", { labels: { stack: "s", expires: "2" } }); new Thing("b", { size: 2 });`);
  await preview(told());
  expect(steps.splice(0).sort()).toEqual([
    "delete c test:index:Thing",
    "replace b test:index:Thing",
    "update a test:index:Thing labels.expires",
  ]);
});

test("a stack is forgotten only without resources", async () => {
  bench = new Workbench(`new Thing("a");`);
  await bench.up();
  await expect(remove(bench.options())).rejects.toThrow("stack dev still has resources: a");
  await bench.destroy();
  await remove(bench.options());
  expect(existsSync(join(bench.stateDir, "stacks", "dev.json"))).toBe(false);
  await remove(bench.options());
});

describe("the lock", () => {
  test("a second update is refused in one line while one runs, and a dead one's lock is void", async () => {
    bench = new Workbench(`new Thing("a", { ms: 1500 });`);
    const running = bench.up();
    await expect(up(bench.options())).rejects.toThrow(
      new RegExp(
        `^another update of stack dev is running \\(process ${process.pid}, since \\S+\\): wait for it to end`,
      ),
    );
    expect(isLocked(bench.stateDir, "dev")).toBe(true);
    await running;
    expect(isLocked(bench.stateDir, "dev")).toBe(false);
    const file = join(bench.stateDir, "locks", "dev.json");
    const release = lock(bench.stateDir, "dev");
    const holder = JSON.parse(readFileSync(file, "utf8"));
    const { writeFileSync } = await import("node:fs");
    writeFileSync(file, JSON.stringify({ ...holder, started: "1" }));
    expect(isLocked(bench.stateDir, "dev")).toBe(false);
    lock(bench.stateDir, "dev")();
    release();
    expect(existsSync(file)).toBe(false);
  });
});
