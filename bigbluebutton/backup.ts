/** Backups of a BigBlueButton server, as the settings ask for them. They hold secrets. */
export interface BackupSettings {
  /** Repository, as restic names it: `s3:https://…/bucket/folder` or `sftp://user@host:port//folder`. */
  readonly to: string;
  /** Keys of an S3 storage. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Private key for an SFTP server, in OpenSSH's form, and the server's own public one. */
  readonly sshKey?: string;
  readonly hostKey?: string;
  /** Password of a repository that another stack has made. @default a generated one */
  readonly password?: string;
  /** Numbers of backups that a pruning keeps. */
  readonly keep: { readonly daily: number; readonly weekly: number; readonly monthly: number };
  /** Saves raw recordings also. */
  readonly raw: boolean;
}

/**
 * Renders the settings as the one line of JSON that scripts/host/backup.sh reads. It holds secrets.
 *
 * @param host Name under which this server's backups are found again.
 */
export function renderBackup(
  host: string,
  { to, accessKeyId, secretAccessKey, sshKey, hostKey, password, keep, raw }: BackupSettings,
  generatedPassword: string,
): string {
  const storage = { to, accessKeyId, secretAccessKey, sshKey, hostKey };
  return `${JSON.stringify({ ...storage, keep, raw, host, password: password ?? generatedPassword })}\n`;
}
