import { Doubtful, Wrong } from "./finding";
import type { ClockOffset } from "./hosts";

/** Compares the hosts' clocks with this machine's and with each other. @param clocks By the hosts' names in the deployment. */
export function judgeClocks(clocks: Readonly<Record<string, ClockOffset | undefined>>): string {
  const known = Object.entries(clocks).flatMap(([role, clock]) => (clock ? [{ role, clock }] : []));
  if (known.length === 0) throw new Wrong("no host could be asked");
  const told = known.map(({ role, clock }) => `${role} ${signed(clock.seconds)}`).join(", ");
  const remedy =
    "timedatectl set-ntp true on the host that is wrong; TURN credentials and certificates go by the clock";
  const apart = Math.max(
    0,
    ...known.flatMap(({ clock: one }) =>
      known.map(
        ({ clock: other }) => Math.abs(one.seconds - other.seconds) - one.uncertainty - other.uncertainty,
      ),
    ),
  );
  const fromHere = Math.max(...known.map(({ clock }) => Math.abs(clock.seconds) - clock.uncertainty));
  if (apart > 60) throw new Wrong(`${told}: the hosts are apart`, remedy);
  if (apart > 5) throw new Doubtful(`${told}: the hosts are apart`, remedy);
  if (fromHere > 60)
    throw new Doubtful(`${told}: far from this machine's`, `${remedy}; or this machine's is wrong`);
  return told;
}

function signed(seconds: number): string {
  return `${seconds < 0 ? "−" : "+"}${Math.abs(seconds).toFixed(Math.abs(seconds) < 10 ? 2 : 0)} s`;
}
