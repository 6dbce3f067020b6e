import { dialInKeys, type DialInWords } from "./dialIn";
import { brandingOptions } from "./brandingOptions";
import { meetingOptions } from "./meetingOptions";
import { privacyOptions } from "./privacyOptions";
import { ownedExtraFile } from "./extraFiles";
import { recordingOptions } from "./recordingOptions";
import { keysOf, textFor, type Options, type OptionValues } from "./options";
import { ownedKeys, type OwnedKeys, type SetKey } from "./ownedKeys";
import { overrideKeys, type Overrides } from "./overrides";

/** Groups of settings whose values are keys of BigBlueButton's own files, by the setting. */
export const optionGroups = {
  meetings: meetingOptions,
  branding: brandingOptions,
  recordings: recordingOptions,
  privacy: privacyOptions,
} as const satisfies Readonly<Record<string, Options>>;

export type GroupName = keyof typeof optionGroups;

/** Values of the groups that are set, and keys by their own names. */
export type GroupValues = Readonly<Partial<Record<GroupName, OptionValues>>> & {
  readonly overrides?: Overrides;
  readonly dialIn?: DialInWords;
};

/** Keys of BigBlueButton's configuration that these settings decide about. */
export function setKeysOf({ overrides = {}, dialIn, ...groups }: GroupValues): SetKey[] {
  const options = Object.entries(groups) as [GroupName, OptionValues][];
  return [
    ...options.flatMap(([name, of]) => keysOf(name, optionGroups[name], of)),
    ...overrideKeys(overrides),
    ...(dialIn ? dialInKeys(dialIn) : []),
  ];
}

/** Everything in BigBlueButton's configuration that these settings decide about; undefined if they decide nothing. */
export function ownedKeysOf(values: GroupValues): OwnedKeys | undefined {
  const keys = ownedKeys(setKeysOf(values));
  const extra = (values.overrides?.extraFiles ?? []).map(ownedExtraFile);
  return extra.length > 0 ? { files: [...(keys?.files ?? []), ...extra] } : keys;
}

/** Groups with the text that duringMeetings can have for each: "meetings=meetings-3f9a2c41"; undefined without any. */
export function textsFor(values: GroupValues): string | undefined {
  return (
    Object.entries(values)
      .map(([name, of]) => `${name}=${textFor(name, of)}`)
      .join(" ") || undefined
  );
}
