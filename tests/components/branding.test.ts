import { brandingName, sha256, type BrandingSite } from "../../bigbluebutton/brandingFiles";
import { renderBrandingDocument } from "../../bigbluebutton/brandingSite";
import { changed, type Run, runProgram, scripts, stepsIn } from "../support/program";

const logo = (content: string) => ({
  ...({ option: "logo", kind: "file", path: "package.json", sha256: sha256(content) } as const),
  name: brandingName("logo", content, "svg"),
});
const branding: BrandingSite = {
  files: [
    logo("1"),
    { option: "landingPage", kind: "folder", path: "docs", sha256: sha256("docs"), name: "landingPage-1" },
    { option: "style", kind: "url", url: "https://school.eu/style.css", name: "style-1.css" },
  ],
  landing: { kind: "folder", name: "landingPage-1" },
};
const groups = (text: string) => ({ branding: { logo: text } });

let plain: Run;
let branded: Run;
beforeAll(async () => {
  plain = await runProgram();
  branded = await runProgram({ settings: { branding, groups: groups("1") } });
});

const COPY = "command:remote:CopyToRemote";

test("without files there is neither a copy nor a step", () => {
  expect(plain.ofType(COPY)).toEqual([]);
  expect(plain.resources.map(({ name }) => name)).not.toContain("bbb-branding");
  expect(plain.get("bbb-wire").inputs.create).not.toContain("branding");
  expect(JSON.parse(plain.get("bbb-verify").inputs.stdin as string)).not.toHaveProperty("branding");
});

test("the files of this machine come into the account's home, a new server gets them anew", () => {
  expect(
    branded.ofType(COPY).map(({ name, inputs, deletedWith }) => [name, inputs.remotePath, deletedWith]),
  ).toEqual([
    ["bbb-branding-logo", `/root/bbb-deploy-branding/${logo("1").name}`, "bbb-host-server"],
    ["bbb-branding-landingPage", "/root/bbb-deploy-branding/landingPage-1", "bbb-host-server"],
  ]);
  // One after the other: two that make the same folder at once fail.
  expect(branded.get("bbb-branding-landingPage").dependsOn).toContain("bbb-branding-logo");
  expect(branded.get("bbb-branding-logo").inputs.triggers).toEqual([expect.any(String), ""]);
  expect(branded.get("bbb-branding-logo").secretInputs).toContain("connection");
});

test("they come before the step, it before the wiring that names them, and that before the proof", () => {
  const step = branded.get("bbb-branding");
  expect(step.dependsOn).toEqual(
    expect.arrayContaining(["bbb-branding-logo", "bbb-branding-landingPage", "bbb-install-resumed"]),
  );
  expect(step.inputs.stdin).toBe(renderBrandingDocument(branding));
  expect(branded.get("bbb-wire").dependsOn).toContain("bbb-branding");
  expect(branded.get("bbb-wire").inputs.create).toContain(" --branding-files");
  const { branding: asked } = JSON.parse(branded.get("bbb-verify").inputs.stdin as string) as {
    branding: string;
  };
  expect(asked).toBe(renderBrandingDocument(branding));
  expect(stepsIn(branded).filter(({ name }) => name === "bbb-branding")).toHaveLength(1);
});

test("another file is sent, and the step, the wiring and the proof run again", async () => {
  const other = await runProgram({
    settings: {
      branding: { ...branding, files: [logo("2"), ...branding.files.slice(1)] },
      groups: groups("2"),
    },
  });
  expect(changed(branded, other)).toEqual([
    "bbb-branding",
    "bbb-branding-logo",
    "bbb-verify",
    "bbb-wire",
    "turn-verify",
  ]);
});

test("an upgrade sends them again, for a host that has lost them", async () => {
  const other = await runProgram({ settings: { branding, groups: groups("1"), upgrade: "2026-12-01" } });
  expect(changed(branded, other)).toEqual(
    expect.arrayContaining(["bbb-branding", "bbb-branding-landingPage", "bbb-branding-logo", "bbb-wire"]),
  );
});

test("a change of the step's script runs nothing where there are no files", async () => {
  const edited = scripts.map((file) =>
    file.name === "branding.sh" ? { ...file, content: `${file.content}true\n` } : file,
  );
  const steps = changed(plain, await runProgram({ scripts: edited }));
  expect(steps).toEqual(["bbb-connect", "turn-connect"]);
});

test("a first page elsewhere is told to both hosts' checks, which follow it no further", async () => {
  const landing = { kind: "redirect", url: "https://school.eu/" } as const;
  const other = await runProgram({ settings: { branding: { files: [], landing } } });
  for (const name of ["bbb-verify", "turn-verify"]) {
    expect(JSON.parse(other.get(name).inputs.stdin as string)).toMatchObject({ frontPageUrl: landing.url });
    expect(JSON.parse(plain.get(name).inputs.stdin as string)).not.toHaveProperty("frontPageUrl");
  }
});
