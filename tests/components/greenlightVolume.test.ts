import { runProgram } from "../support/program";

const create = async (settings: Parameters<typeof runProgram>[0]) =>
  (await runProgram(settings)).get("bbb-recordings").inputs.create as string;

test("the volume's step knows of Greenlight, and of the setting that asks for its move", async () => {
  expect(await create({ settings: { greenlight: {}, upgrade: "may" } })).toMatch(
    / --greenlight --upgrade may/,
  );
  expect(await create({ settings: { greenlight: {}, upgrade: "" } })).toMatch(/ --greenlight(?! --upgrade)/);
});

test("without Greenlight an upgrade does not run it again", async () => {
  const flags = await create({ settings: { greenlight: undefined, upgrade: "may" } });
  expect(flags).not.toMatch(/--greenlight|--upgrade/);
  expect(flags).toBe(await create({ settings: { greenlight: undefined, upgrade: "" } }));
});
