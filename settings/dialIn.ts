/** Dial-in against the release and other settings. */
import * as pulumi from "@pulumi/pulumi";

import { DEFAULT_GREETING, type DialInWords } from "../bigbluebutton/dialIn";
import { optionLines } from "../bigbluebutton/options";
import { releases } from "../bigbluebutton/releases";
import { remedyFor, type FieldValues } from "./fields";
import type { Problem } from "./problems";
import { removeCommand } from "./remedies";
import type { DialIn } from "./types";

/** Finds a release whose dial-in is not known. */
export function dialInProblems({ dialIn, release: name }: Partial<FieldValues>): Problem[] {
  if (!dialIn || !name) return [];
  const { version } = releases[name];
  if (optionLines.some((line) => line === version)) return [];
  return [
    {
      key: "dialIn",
      reason: `is set, but is for BigBlueButton ${optionLines.join(" and ")}; release is ${name}, ${version}, whose dialplan it does not know`,
      remedy: `${removeCommand("dialIn")}, or ${remedyFor("release")}`,
    },
  ];
}

/** Part of dial-in that goes into BigBlueButton's own files; undefined without dial-in. */
export function dialInWordsOf(values: Partial<FieldValues>): DialInWords | undefined {
  const { dialIn, release } = values;
  if (!dialIn) return undefined;
  const { number, pinDigits } = dialIn;
  const greeting = dialIn.greeting ?? (hasFooter(values) ? undefined : DEFAULT_GREETING);
  return {
    number,
    ...(greeting !== undefined && { greeting }),
    ...(pinDigits !== undefined && { pinDigits }),
    livekit: release !== undefined && releases[release].version === "4.0",
  };
}

/** True when another setting has the text below the welcome text. */
function hasFooter({ meetings, overrides }: Partial<FieldValues>): boolean {
  return (
    meetings?.["welcomeFooter"] !== undefined || overrides?.web?.["defaultWelcomeMessageFooter"] !== undefined
  );
}

/** Dial-in as the deployment has it; undefined without it. */
export function dialInFrom({ dialIn }: FieldValues): DialIn | undefined {
  if (!dialIn) return undefined;
  const { networks, gateway } = dialIn;
  const { password, user, ...rest } = gateway;
  return {
    networks,
    gateway: { ...rest, ...(user !== undefined && { user }) },
    ...(password !== undefined && { password: pulumi.secret(password) }),
  };
}
