import { Mistake } from "../../../cli/mistake";
import { planProgram } from "../../../operator/plan/program";

const context = { project: "bigbluebutton", stack: "new", region: "eu-central-1" };
const settings = { domain: "school.org", email: "a@school.org", sshNetworks: ["198.51.100.7/32"] };

test("a cloud's package that is not installed is a mistake, which says what to install", async () => {
  jest.doMock("@pulumi/aws", () => {
    throw Object.assign(new Error("Cannot find module '@pulumi/aws'"), { code: "MODULE_NOT_FOUND" });
  });
  const planned = planProgram({ ...settings, cloud: "aws" }, context);
  await expect(planned).rejects.toThrow(Mistake);
  await expect(planned).rejects.toThrow(/Cannot find module '@pulumi\/aws'\. Run npm ci/);
});

test("nothing is printed, and no secret of a provider's making is true", async () => {
  const print = jest.spyOn(console, "log");
  const { resources, outputs } = await planProgram({ ...settings, dns: "manual" }, context);
  expect(print).not.toHaveBeenCalled();
  expect(resources.length).toBeGreaterThan(30);
  expect(outputs.sharedSecret).toBe("0".repeat(64));
});
