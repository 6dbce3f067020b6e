import { hetzner } from "./clouds";
import { sandbox, type Result } from "./sandbox";

/** `scripts/park STACK ARGS… --sandbox`, without a question. */
export const park = (stack: string, ...args: string[]): Promise<Result> =>
  sandbox(["operator", "park", stack, ...args, "--yes", "--sandbox"]);

/** `scripts/wake STACK --sandbox`, without a question. */
export const wake = (stack: string): Promise<Result> =>
  sandbox(["operator", "wake", stack, "--yes", "--sandbox"]);

/** Snapshots in the Hetzner project, with their labels. */
export async function snapshots(): Promise<{ id: number; labels: Record<string, string> }[]> {
  const [answer] = await hetzner(["GET", "/images?type=snapshot"]);
  return (answer!.body as { images: { id: number; labels: Record<string, string> }[] }).images;
}
