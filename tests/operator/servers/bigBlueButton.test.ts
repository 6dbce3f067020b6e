import { ANY_CERTIFICATE, runningMeetings } from "../../../bigbluebutton/meetings";
import { Failure, Mistake } from "../../../cli/mistake";
import { runOnServer } from "../../../operator/backup/server";
import { bigBlueButton } from "../../../operator/servers/bigBlueButton";
import { deployed } from "../check/deployed";

jest.mock("../../../bigbluebutton/meetings", () => ({
  ...jest.requireActual<object>("../../../bigbluebutton/meetings"),
  runningMeetings: jest.fn(),
}));
jest.mock("../../../operator/backup/server", () => ({ runOnServer: jest.fn() }));

const ask = jest.mocked(runningMeetings);
const said: string[] = [];
let calls: string[];
let answers: (true | false | Error)[];
const patience = { tries: 3, pauseSeconds: 0 };

beforeEach(() => {
  [calls, answers] = [[], []];
  said.length = 0;
  jest.mocked(runOnServer).mockImplementation(async ({ access }, { words, onLine }) => {
    calls.push(`${access.host}: ${words.join(" ")}`);
    onLine("a line of the host's");
    const answer = answers.shift() ?? true;
    if (answer instanceof Error) throw answer;
    return answer;
  });
});
afterEach(() => jest.resetAllMocks());

const open = (of = deployed) => bigBlueButton(of, (line) => said.push(line), patience);
const without = (request: object) => ({
  ...deployed,
  hosts: {
    ...deployed.hosts,
    bbb: { ...deployed.hosts.bbb, request: { ...deployed.hosts.bbb.request, ...request } },
  },
});

test("meetings are asked for with the stack's secret, whatever the certificate", async () => {
  ask.mockResolvedValue(2);
  expect(await open().meetings()).toBe(2);
  expect(ask).toHaveBeenCalledWith(
    "https://bbb.example.org/bigbluebutton/api",
    "shared-s3cr3t",
    ANY_CERTIFICATE,
  );
});

test("the volume is released on the host, and what it says is shown; without a volume nothing is done", async () => {
  await open().release({ endMeetings: false });
  await open().release({ endMeetings: true });
  await open(without({ recordings: false })).release({ endMeetings: true });
  expect(calls).toEqual([
    "203.0.113.1: unmount-recordings.sh",
    "203.0.113.1: unmount-recordings.sh --end-meetings",
  ]);
  expect(said).toContain("  a line of the host's");
});

test("a volume that is still in use is a failure", async () => {
  answers = [false];
  const refused = open().release({ endMeetings: false });
  await expect(refused).rejects.toThrow("bbb.example.org keeps its recordings volume, for the reason above");
  await expect(refused).rejects.toBeInstanceOf(Failure);
});

test("an API that needs a while is waited for, and no longer than that", async () => {
  ask.mockRejectedValueOnce(new Error("ECONNREFUSED")).mockResolvedValue(0);
  await open().answers();
  ask.mockRejectedValue(new Error("ECONNREFUSED"));
  await expect(open().answers()).rejects.toThrow(
    "bbb.example.org runs, but its API does not answer: ECONNREFUSED",
  );
  expect(ask).toHaveBeenCalledTimes(2 + 3);
});

test("certificates are renewed on both hosts as soon as they can be reached, but not the operator's own", async () => {
  answers = [new Error("no SSH yet")];
  await open().renew();
  const bbb = "203.0.113.1: certificate.sh --role bbb --hostname bbb.example.org";
  const turn = "203.0.113.2: certificate.sh --role turn --hostname turn.example.org";
  expect(calls.splice(0)).toEqual([bbb, bbb, turn]);
  await open(without({ ownCertificates: ["bbb"] })).renew();
  expect(calls).toEqual([turn]);
});

test("an authority that refuses is not asked again", async () => {
  answers = [false];
  await expect(open().renew()).rejects.toThrow("its certificate is not renewed, for the reason above");
  expect(calls).toHaveLength(1);
});

test("a component of another program is none of its own", () => {
  expect(() => open({ ...deployed, name: "school-a" })).toThrow(Mistake);
});

test("the state is read from lines of its own, and what else is said is shown", async () => {
  jest.mocked(runOnServer).mockImplementation(async (_, { words, onLine }) => {
    calls.push(words.join(" "));
    for (const line of ["state: 3 files", "=YWJj", "=ZGVm"]) onLine(line);
    return true;
  });
  expect(await open().exportState()).toBe("YWJj\nZGVm\n");
  expect(calls).toEqual(["carry_file.py export bbb.example.org"]);
  expect(said).toEqual(["  state: 3 files"]);
});

test("the state goes to a new server by standard input, once that can be reached", async () => {
  const inputs: (string | undefined)[] = [];
  jest.mocked(runOnServer).mockImplementation(async (_, { input }) => {
    inputs.push(input);
    if (inputs.length < 2) throw new Error("no SSH yet");
    return true;
  });
  await open().importState("YWJj\n");
  expect(inputs).toEqual(["YWJj\n", "YWJj\n"]);
});

test.each([
  ["exportState", /^the state of bbb\.example\.org could not be read, for the reason above/],
  ["importState", /^the state did not come to bbb\.example\.org, for the reason above/],
  ["backUp", /^there is no new backup of bbb\.example\.org, for the reason above/],
  ["restoreRecordings", /^the recordings did not come back to bbb\.example\.org, for the reason above/],
] as const)("a refused %s is a failure, and not tried again", async (name, reason) => {
  answers = [false];
  await expect(open()[name]("state")).rejects.toThrow(reason);
  expect(calls).toHaveLength(1);
});
