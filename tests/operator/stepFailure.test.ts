import { cliReason } from "../../operator/pulumiCli";
import { stepFailure } from "../../operator/stepFailure";

const COMMAND = "Process exited with status 1: running \"sudo /usr/local/lib/bbb-deploy/step 'bbb 3/7' …\":";
const STARTED = "Wire it: started [bbb 3/7]";
const FAILED = "FAILED after 12 s: Wire it, log /var/log/bbb-deploy/wire.log on bbb [bbb 3/7]";
const SHOWN = [
  COMMAND,
  STARTED,
  "half way [bbb 3/7]",
  "it is broken: mend it [bbb 3/7]",
  FAILED,
  "    a detail",
];
const WHERE = "Wire it, log /var/log/bbb-deploy/wire.log on bbb";

test("of a step that was shown whole, only its reason and its log are said again", () => {
  expect(stepFailure(SHOWN)).toEqual([`it is broken: mend it (${WHERE})`]);
});

test("one that gave no reason is named", () => {
  expect(stepFailure([COMMAND, STARTED, FAILED, "    a detail"])).toEqual([WHERE]);
});

test("any other error stays as it is", () => {
  const lines = ["server with ID '17' not found", "and more"];
  expect(stepFailure(lines)).toEqual(lines);
});

test("the CLI's error is shortened likewise", () => {
  const indented = SHOWN.slice(1).map((line) => `    ${line}`);
  const message = [
    ...["Diagnostics:", "  command:remote:Command (bbb-wire):", `    error: ${COMMAND}`, ...indented],
    ...["", "  pulumi:pulumi:Stack (bigbluebutton-test-a):", "    error: update failed", ""],
  ].join("\n");
  expect(cliReason(new Error(message))).toBe(`bbb-wire: it is broken: mend it (${WHERE})`);
});
