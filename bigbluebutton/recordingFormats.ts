/** Formats in which recordings are published. */

/** Formats, each of the package `bbb-playback-FORMAT`. */
export const recordingFormats = ["presentation", "video", "screenshare", "podcast"] as const;

/** Formats of which BigBlueButton has nothing but the name, and the reason. */
export const retiredFormats = {
  notes:
    "since 2.4 shared notes are a part of the format presentation, and the package bbb-playback-notes processes nothing",
} as const;

/** Steps of a recording, from its archive to each of its formats, as `steps` of recording.yml has them. */
export function recordingSteps(formats: readonly string[]): Readonly<Record<string, string | string[]>> {
  return {
    archive: "sanity",
    sanity: "captions",
    captions: formats.map((format) => `process:${format}`),
    ...Object.fromEntries(formats.map((format) => [`process:${format}`, `publish:${format}`])),
  };
}

/** Formats in which some settings have recordings published. */
export function publishedFormats(formats: readonly string[] = [recordingFormats[0]]): readonly string[] {
  return formats;
}

/** Formats of some settings whose packages no installer brings; the first is always there. */
export function formatsToInstall(formats: readonly string[] = []): readonly string[] {
  return formats.filter((format) => format !== recordingFormats[0]);
}
