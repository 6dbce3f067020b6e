/** Words for why a file can't be read, as the end of a sentence that begins with it. */
export function unreadable(error: unknown): string {
  const { code = String(error), path } = error as NodeJS.ErrnoException;
  const why = { ENOENT: "is not there", EACCES: "may not be read by you", ELOOP: "is a link to itself" }[
    code
  ];
  return why ?? `can't be read: ${code}${path ? ` of ${path}` : ""}`;
}
