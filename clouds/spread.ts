/**
 * Groups of a cloud, each for so many servers that are to run on different machines.
 *
 * @param size Most servers in a group.
 * @param make Makes a group by its number, from 1 on; called when the group's first server asks for it.
 * @returns the group of a server by its number, from 1 on; none for a server without one.
 */
export function spreadGroups<Group>(
  size: number,
  make: (number: number) => Group,
): (server: number | undefined) => Group | undefined {
  const groups = new Map<number, Group>();
  return (server) => {
    if (server === undefined) return undefined;
    const number = Math.ceil(server / size);
    const group = groups.get(number) ?? make(number);
    groups.set(number, group);
    return group;
  };
}
