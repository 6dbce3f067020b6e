import { brandingOptions } from "./brandingOptions";
import { meetingOptions } from "./meetingOptions";
import { privacyOptions } from "./privacyOptions";
import { recordingOptions } from "./recordingOptions";
import { keysOf, textFor, type Options, type OptionValues } from "./options";
import { ownedKeys, type OwnedKeys } from "./ownedKeys";

/** Groups of settings whose values are keys of BigBlueButton's own files, by the setting. */
export const optionGroups = {
  meetings: meetingOptions,
  branding: brandingOptions,
  recordings: recordingOptions,
  privacy: privacyOptions,
} as const satisfies Readonly<Record<string, Options>>;

export type GroupName = keyof typeof optionGroups;

/** Values of the groups that are set. */
export type GroupValues = Readonly<Partial<Record<GroupName, OptionValues>>>;

function setGroups(values: GroupValues): [GroupName, OptionValues][] {
  return Object.entries(values) as [GroupName, OptionValues][];
}

/** Everything in BigBlueButton's configuration that these settings decide about; undefined if they decide nothing. */
export function ownedKeysOf(values: GroupValues): OwnedKeys | undefined {
  return ownedKeys(setGroups(values).flatMap(([name, of]) => keysOf(name, optionGroups[name], of)));
}

/** Groups with the text that duringMeetings can have for each: "meetings=meetings-3f9a2c41"; undefined without any. */
export function textsFor(values: GroupValues): string | undefined {
  return (
    setGroups(values)
      .map(([name, of]) => `${name}=${textFor(name, of)}`)
      .join(" ") || undefined
  );
}
