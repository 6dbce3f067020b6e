import { createServer, type AddressInfo } from "node:net";

import { check, python } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
});

afterEach(() => host.remove());

/** Checks with a listener at one port; none is at port 1, and there is no firewall in front of this machine. */
async function checked(ports: (open: number) => { open: number[]; quiet: number[]; closed: number[] }) {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const record = await check(host, "port_check", "check_ports", { host: "127.0.0.1", ...ports(port) });
  await new Promise((resolve) => server.close(resolve));
  return { ...record, answer: record.answer.replaceAll(String(port), "PORT") };
}

test.each([
  ["open", (open: number) => ({ open: [open], quiet: [], closed: [] }), "ok", /^PORT let in/],
  ["idle", (open: number) => ({ open: [open, 1], quiet: [], closed: [] }), "FAIL", /^nobody listens at 1$/],
  ["quiet", (open: number) => ({ open: [open, 1], quiet: [1], closed: [] }), "ok", /^PORT, 1 let in/],
  [
    "too open",
    (open: number) => ({ open: [], quiet: [], closed: [open] }),
    "FAIL",
    /^open to everybody: PORT$/,
  ],
  ["unfiltered", (open: number) => ({ open: [open], quiet: [], closed: [1] }), "warn", /^1 get to the host/],
])("%s", async (_, ports, verdict, answer) => {
  const record = await checked(ports);
  expect(record).toMatchObject({ verdict, answer: expect.stringMatching(answer) as string });
  expect(record.remedy === undefined).toBe(verdict === "ok");
});

test("of what does not answer, a firewall is the likely reason", async () => {
  const told = await python(
    host,
    `import socket, port_check
def silent(*_): raise socket.timeout
socket.create_connection = silent
try:
    port_check.check_ports({"host": "127.0.0.1", "open": [443], "quiet": [], "closed": [22]})
except port_check.Wrong as wrong:
    print(wrong, wrong.remedy, sep=": ")
`,
  );
  expect(told).toMatch(
    /^no answer at 443: the firewall must let 443\/tcp in: pulumi refresh, then pulumi up; and a firewall on 127\.0\.0\.1 itself/,
  );
});
