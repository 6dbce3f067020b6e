/** Texts that the command shows before it does anything. */
import type { Plan } from "./plan";

const DOING: Readonly<Record<string, string>> = {
  adopt: "was made: it comes into the state as",
  again: "is left to the next update",
  read: "is read at the cloud",
};

export function renderPlan({ remedies, strays }: Plan, remove: boolean): string {
  const settled = remedies.map(
    ({ name, operation, what, id }) =>
      `${name} (${operation}): ${DOING[what]}${id === undefined ? "" : ` ${id}`}`,
  );
  const left = strays.map(({ type, name, id }) => {
    if (type === "volume") {
      return `volume ${name} (${id}) is in no state and stays: use it by the setting recordingsVolumeId, or remove it in the console`;
    }
    if (type === "storage-box") {
      return `storage-box ${name} (${id}) is in no state and stays: its backups can be read as docs/backup.md says, or remove it in the console`;
    }
    return `${type} ${name} (${id}) is in no state ${remove ? "and is removed" : "and stays: --remove removes it"}`;
  });
  return [...settled, ...left].join("\n");
}
