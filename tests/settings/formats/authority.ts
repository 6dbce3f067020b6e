import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Certificate authority of the test's own, made by openssl: a root, an intermediate, and the certificates that it
 * issues.
 */
export class Authority {
  readonly directory = mkdtempSync(join(tmpdir(), "authority-"));
  readonly root: string;
  readonly intermediate: string;

  constructor() {
    this.root = this.make("root", "Own Root", ["basicConstraints=critical,CA:TRUE"]);
    this.intermediate = this.make("intermediate", "Own Intermediate", ["basicConstraints=critical,CA:TRUE"], {
      issuer: "root",
    });
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  put(file: string, text: string): string {
    writeFileSync(this.path(file), text, { mode: 0o600 });
    return this.path(file);
  }

  read(file: string): string {
    return readFileSync(this.path(file), "utf8");
  }

  /** Issues a server's certificate; its key is in NAME.key. `from` and `until` are like 20260101000000Z. */
  leaf(
    name: string,
    names: readonly string[],
    options: { readonly key?: readonly string[]; readonly from?: string; readonly until?: string } = {},
  ): string {
    const san = `subjectAltName=${names.map((dns) => `DNS:${dns}`).join(",")}`;
    return this.make(name, names[0]!, ["basicConstraints=CA:FALSE", san], {
      issuer: "intermediate",
      ...options,
    });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  private make(
    name: string,
    subject: string,
    extensions: readonly string[],
    {
      issuer,
      key = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
      from,
      until,
    }: {
      readonly issuer?: string;
      readonly key?: readonly string[];
      readonly from?: string;
      readonly until?: string;
    } = {},
  ): string {
    const [keyFile, request] = [this.path(`${name}.key`), this.path(`${name}.csr`)];
    const openssl = (...args: string[]) =>
      execFileSync("openssl", args, { cwd: this.directory, stdio: "pipe" });
    openssl(
      "req",
      "-new",
      "-nodes",
      "-newkey",
      ...key,
      "-keyout",
      keyFile,
      "-subj",
      `/CN=${subject}`,
      "-out",
      request,
    );
    this.put(`${name}.ext`, extensions.join("\n"));
    const signer = issuer ?? name;
    this.put("index.txt", "");
    this.put("index.txt.attr", "unique_subject = no\n");
    this.put(
      "ca.cnf",
      "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\nrand_serial=yes\ndefault_days=400\n[any]\ncommonName=supplied\n",
    );
    openssl(
      ...["ca", "-batch", "-notext", "-config", "ca.cnf", "-in", request, "-extfile", `${name}.ext`],
      ...["-keyfile", `${signer}.key`, ...(issuer ? ["-cert", `${issuer}.pem`] : ["-selfsign"])],
      ...(from ? ["-startdate", from] : []),
      ...(until ? ["-enddate", until] : []),
      ...["-out", `${name}.pem`],
    );
    return this.read(`${name}.pem`);
  }
}
