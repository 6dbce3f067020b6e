import { distance } from "fastest-levenshtein";

/** Known key that was perhaps meant by an unknown one. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  return known
    .map((name) => ({ name, edits: distance(key.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= Math.max(2, name.length / 3))
    .sort((a, b) => a.edits - b.edits)[0]?.name;
}
