import { runProgram } from "../../support/program";

const sold = { soldOut: ["ccx23 in fsn1"] };

test("a type that is sold out is refused before anything is registered", async () => {
  await expect(runProgram({ hetznerHas: sold })).rejects.toThrow(
    /bigbluebutton:serverType is ccx23, which is sold out at Hetzner Cloud in fsn1\n.*→ pulumi config set serverType TYPE/,
  );
});

test("both hosts' at once", async () => {
  const hetznerHas = { soldOut: [...sold.soldOut, "cpx22 in fsn1"] };
  await expect(runProgram({ hetznerHas })).rejects.toThrow(
    /serverType is ccx23[\s\S]*turnServerType is cpx22/,
  );
});

test.each([
  ["another type", { serverType: "ccx33", location: "fsn1" }],
  ["another location, as before a move", { serverType: "ccx23", location: "nbg1" }],
])("a server of %s does not make up for it", async (_, server) => {
  await expect(runProgram({ hetznerHas: { ...sold, servers: [server] } })).rejects.toThrow("sold out");
});

test("a server that is there already needs none to be left", async () => {
  const servers = [{ serverType: "ccx23", location: "fsn1" }];
  const { ofType } = await runProgram({ hetznerHas: { ...sold, servers } });
  expect(ofType("hcloud:index/server:Server")).toHaveLength(2);
});

test("elsewhere sold out says nothing", async () => {
  const { lookUps } = await runProgram({ hetznerHas: { soldOut: ["ccx23 in nbg1"] } });
  expect(lookUps.map(({ token }) => token)).not.toContain("hcloud:index/getServers:getServers");
});
