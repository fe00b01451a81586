// Certificates as the command line has them: in files, which whoever renews them writes anew while we run.

import { readFileSync, unwatchFile, watchFile } from "node:fs";
import type { TlsIdentity } from "../grpc/index.ts";
import { type Certificates, isBlipError, type Logger, type TlsOptions } from "../index.ts";
import { checkTls } from "../mesh/tls-options.ts";
import { type FlagSpec, type Flags, UsageError, wrong } from "./flags.ts";
import type { Surroundings } from "./surroundings.ts";

export const TLS_FLAGS: readonly FlagSpec[] = [
  { name: "tls-cert", value: "FILE", help: "the certificate to show, in PEM; read again when it changes" },
  { name: "tls-key", value: "FILE", help: "its private key, in PEM" },
  {
    name: "tls-ca",
    value: "FILE",
    help: "the authorities to trust, in PEM (default: those that Node trusts)",
  },
  {
    name: "tls-name",
    value: "NAME",
    help: "the DNS name in all members' certificates (default: each one's IP)",
  },
];

const PARTS = { cert: "tls-cert", key: "tls-key", ca: "tls-ca" } as const;
/** Files that are renewed are renewed days before it matters; and polling sees through links that are swapped. */
const LOOK_EVERY_MS = 5000;
/** A certificate and its key are two files, and are not written at once. */
const SETTLE_MS = 500;

/** The option `tls` of these flags. @throws UsageError where a file cannot be read. */
export function tlsOf(flags: Flags): TlsOptions | undefined {
  const certificates = readFiles(flags);
  const serverName = flags.one("tls-name")?.text;
  if (Object.keys(certificates).length === 0 && serverName === undefined && !flags.has("mutual")) {
    return undefined;
  }
  return {
    ...certificates,
    clientAuth: flags.has("mutual"),
    ...(serverName !== undefined && { serverName }),
  };
}

/** What to show to a member, for one who is none. @throws UsageError */
export function identityOf(flags: Flags): TlsIdentity | undefined {
  const tls = tlsOf(flags);
  if (tls === undefined) return undefined;
  try {
    return checkTls({ ...tls, plaintext: true })!.identity;
  } catch (error) {
    if (!isBlipError(error)) throw error;
    throw new UsageError(`${tlsFlagOf(error.field ?? "", flags)}: ${error.message}`);
  }
}

/** The flag that the field of an error is about, with its value. */
export function tlsFlagOf(field: string, flags: Flags): string {
  const part = field.slice("tls.".length);
  const name = FLAG_OF[part] ?? "tls-cert";
  const given = flags.one(name);
  return given === undefined ? `--${name}` : `${given.from} ${given.text}`;
}

const FLAG_OF: Readonly<Record<string, string>> = { ...PARTS, serverName: "tls-name", clientAuth: "mutual" };

/** Reads the files again when one changes, and on SIGHUP; what cannot be used is told, and changes nothing. */
export function watchFiles(
  flags: Flags,
  { onReload }: Pick<Surroundings, "onReload">,
  use: (certificates: Certificates) => void,
  { warn }: Pick<Logger, "warn">,
): () => void {
  const paths = Object.values(PARTS).flatMap((name) => flags.one(name)?.text ?? []);
  const reload = (): void => {
    if (paths.length === 0) return;
    try {
      use(readFiles(flags));
    } catch (error) {
      if (!isBlipError(error) && !(error instanceof UsageError)) throw error;
      warn({}, `the certificates stay as they are: ${error.message}`);
    }
  };
  let settling: NodeJS.Timeout | undefined;
  const changed = (): void => {
    clearTimeout(settling);
    settling = setTimeout(reload, SETTLE_MS).unref();
  };
  for (const path of paths) watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, changed);
  const off = onReload(reload);
  return () => {
    off();
    clearTimeout(settling);
    for (const path of paths) unwatchFile(path, changed);
  };
}

function readFiles(flags: Flags): Certificates {
  const certificates: { -readonly [K in keyof Certificates]: Certificates[K] } = {};
  for (const [part, name] of Object.entries(PARTS)) {
    const given = flags.one(name);
    if (given === undefined) continue;
    try {
      certificates[part as keyof typeof PARTS] = readFileSync(given.text, "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw wrong(given, `a file in PEM that can be read (${code ?? error})`);
    }
  }
  return certificates;
}
