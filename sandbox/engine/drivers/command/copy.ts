/** CopyToRemote 1.2.1: files, folders and texts by SFTP, parent folders made, no mode or owner set. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, posix, resolve } from "node:path";
import { promisify } from "node:util";

import type { SFTPWrapper } from "ssh2";

import type { Context } from "../../driver";
import type { Values } from "../../wire";
import { dial } from "./ssh";

export async function copyToRemote(inputs: Values, context: Context): Promise<void> {
  const client = await dial(inputs.connection, context);
  try {
    const sftp = await new Promise<SFTPWrapper>((done, failed) => {
      client.sftp((error, session) => (error === undefined ? done(session) : failed(error)));
    });
    const source = inputs.source as Values;
    const target = String(inputs.remotePath);
    if (typeof source.text === "string") await copyText(sftp, source.text, target);
    else await copyPath(sftp, resolve(context.projectDir, String(source.path)), target);
  } finally {
    client.end();
  }
}

async function isDirectory(sftp: SFTPWrapper, path: string): Promise<boolean> {
  return new Promise((done) =>
    sftp.stat(path, (error, found) => done(error === undefined && found.isDirectory())),
  );
}

async function makeDirectories(sftp: SFTPWrapper, path: string): Promise<void> {
  if (path === "/" || path === "." || (await isDirectory(sftp, path))) return;
  await makeDirectories(sftp, posix.dirname(path));
  await promisify<string>(sftp.mkdir.bind(sftp))(path);
}

async function copyText(sftp: SFTPWrapper, text: string, target: string): Promise<void> {
  if (await isDirectory(sftp, target)) {
    throw new Error(
      `remote path ${target} is a directory; when using a text asset, remotePath must be a file path`,
    );
  }
  await makeDirectories(sftp, posix.dirname(target));
  await promisify<string, string>(sftp.writeFile.bind(sftp))(target, text);
}

/** Copies into `target` when that is an existing folder, to `target` otherwise. */
async function copyPath(sftp: SFTPWrapper, source: string, target: string): Promise<void> {
  const into = (await isDirectory(sftp, target)) ? posix.join(target, basename(source)) : target;
  await makeDirectories(sftp, dirname(into));
  await copyTree(sftp, source, into);
}

async function copyTree(sftp: SFTPWrapper, source: string, target: string): Promise<void> {
  if (!(await stat(source)).isDirectory()) {
    await promisify<string, string>(sftp.fastPut.bind(sftp))(source, target);
    return;
  }
  await makeDirectories(sftp, target);
  for (const entry of await readdir(source))
    await copyTree(sftp, join(source, entry), posix.join(target, entry));
}
