import { runProgram } from "../support/program";

const withFormats = (formats?: readonly string[]) =>
  runProgram({ settings: { groups: { recordings: { ...(formats && { formats }), workers: 2 } } } });

test("formats that no installer brings are installed, before they become steps of a recording", async () => {
  const run = await withFormats(["presentation", "video", "podcast"]);
  const { inputs, dependsOn } = run.get("bbb-recording-formats");
  expect(inputs.create).toContain("--formats 'video podcast'");
  expect(dependsOn).toContain("bbb-install-resumed");
  expect(run.get("bbb-wire").dependsOn).toContain("bbb-recording-formats");
});

test.each([[undefined], [["presentation"]]])("with the formats %j there is no such step", async (formats) => {
  const run = await withFormats(formats);
  expect(run.resources.map(({ name }) => name)).not.toContain("bbb-recording-formats");
});
