import { mapSecrets } from "../../../sandbox/engine/project";

test("each secret inside a value is replaced, whatever it is in", () => {
  const value = {
    email: { password: { secure: "a" }, port: 587, to: ["x", { secure: "b" }] },
    plain: null,
    url: { secure: "c" },
  };
  expect(mapSecrets(value, (secret) => secret.toUpperCase())).toEqual({
    email: { password: "A", port: 587, to: ["x", "B"] },
    plain: null,
    url: "C",
  });
  expect(mapSecrets("secure", () => "never")).toBe("secure");
});
