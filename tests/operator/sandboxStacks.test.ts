import { opened } from "../../operator/sandboxStacks";

test("secrets in settings are shown by their texts, as Pulumi's CLI shows them", () => {
  const backup = { to: "s3:http://storage/bucket", secretAccessKey: { secure: "text" } };
  expect(opened({ release: "jammy-30", recordingsGb: 0, turnPeers: ["203.0.113.9"], backup })).toEqual({
    ...{ release: "jammy-30", recordingsGb: 0, turnPeers: ["203.0.113.9"] },
    backup: { to: "s3:http://storage/bucket", secretAccessKey: "text" },
  });
});
