import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Password of every repository of the tests. */
export const PASSWORD = "repository-password-of-the-test";

const CONFIG =
  "YOMlrI31XABlAyHinUTxuIJ2T6oqII3rukFAkG3F4diAkybfFrt+89Vt+iYG/ASAZc+5Mf5NWD4mfcQraovtI0Pb6HfZ6auwAh/TexxOC8ZBqAtx99ka/EN8W1QDHEy/pxaOGeaw8JnaxZTLvAM5osV6hbIOILF+js7XHESwu8dP7Kfm4hAdZj7m9jJpFXdqbWUc+aS0H/XyGOU=";
const KEY_ID = "75f6ee3ce29ad6cae5dc150275594993623f81e50184f06ef153f48e0b0a1eb3";
const KEY =
  '{"created":"2026-11-29T21:44:07.434833449Z","username":"test","hostname":"test","kdf":"scrypt","N":2,"r":1,"p":1,' +
  '"salt":"suFjKfrmhMtT8Ifv9N8mpDjwgOX2/GJtE9Q81Sabk0bc3opPfpG67tpCHj5lvXLI1OQw3sLt7fCYq5QtEo18zA==",' +
  '"data":"xu8GA08Q0GArPPlifLgu+2BGVcpXDst9bO3CxdqS/AS/JAw9TtdWb2ONZQcPqWc6QpJ6QxRa7xR4mtd9qGazBiQjxGpvExTqnaEJE3ktYCtWo+YzKhM/rBtHont/tEpIDHsGnbQ13fLKwUnt50IEuZ5KUgCOIuVlmpIwcoLWsEYX5tOkdkyLMyBM7HCIDxxj2IElvAPzfbbhqIf7wb0nXA=="}';

/**
 * Files of an empty repository. restic made it, in format 1; then its key was sealed anew with scrypt's least cost, so
 * that each call of restic opens it at once, where a real one takes half a second of processor time.
 */
export const QUICK_REPOSITORY: Readonly<Record<string, Buffer>> = {
  config: Buffer.from(CONFIG, "base64"),
  [`keys/${KEY_ID}`]: Buffer.from(KEY),
};

/** Makes the repository in a folder. */
export function putQuickRepository(folder: string): void {
  for (const name of ["data", "index", "locks", "snapshots"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  for (const [name, content] of Object.entries(QUICK_REPOSITORY)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}
