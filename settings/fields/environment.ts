import { removeCommand } from "../remedies";
import { choice, flagText, textThat, type Fields } from "./field";

const asTheEnvironment = (key: string) => `${removeCommand(key)}, for what the environment has`;

export const environment = {
  environment: {
    type: "string",
    unset: "test",
    example: "prod",
    description:
      "test, staging or prod: what kind of deployment this is. docs/environments.md says what follows from it. Not set: test, as the preview says.",
    schema: choice(["test", "staging", "prod"]),
  },
  protect: {
    type: "string",
    description:
      "true or false: protect both servers and their addresses from deletion, in Pulumi and at the cloud. Not set: the environment's value.",
    schema: flagText,
    remedy: asTheEnvironment("protect"),
  },
  protectRecordings: {
    type: "string",
    description:
      "true or false: protect the recordings volume, and the Storage Box of backups, from deletion. Not set: the environment's value.",
    schema: flagText,
    remedy: asTheEnvironment("protectRecordings"),
  },
  backups: {
    type: "string",
    description:
      "true or false: the cloud's own daily backups of the BigBlueButton server. Not set: the environment's value.",
    schema: flagText,
    remedy: asTheEnvironment("backups"),
  },
  expires: {
    type: "string",
    description:
      "Time from which the deployment may be removed, in seconds since 1970. scripts/test-server sets it on what it makes, and reap removes that then. Not set: never.",
    schema: textThat((value) =>
      /^[1-9]\d{9}$/.test(value) ? undefined : `"${value}" is not a time in seconds since 1970`,
    ),
    remedy: `${removeCommand("expires")}, for what is to stay; scripts/test-server makes what is not`,
  },
} as const satisfies Fields;
