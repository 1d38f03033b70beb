/**
 * Detaches a child from the login session's keyring. The keyring may contain Kerberos tickets and keys of encrypted
 * directories, and every child possesses it in any namespace, so a sandboxed child gets a new one. Perl makes the system
 * call, because no standard program does.
 */
import { existsSync, readFileSync } from "node:fs";

/** The number of keyctl(2), by `process.arch`. */
const numbers: Readonly<Record<string, number>> = { x64: 250, arm64: 219, arm: 311, ia32: 288, ppc64: 271, s390x: 280, riscv64: 219 };

/**
 * The argv prefix that starts a command with a session keyring of its own. Empty if this process has no session keyring, or
 * without Perl.
 */
export function keyctlArgv(): readonly string[] {
  const number = numbers[process.arch];
  const perl = ["/usr/bin/perl", "/bin/perl"].find((place) => existsSync(place));
  if (number === undefined || perl === undefined || !hasSessionKeyring(keys())) return [];
  return [perl, "-e", `syscall(${number}, 1, 0); exec { $ARGV[0] } @ARGV; exit 127`];
}

/** Whether a listing in the format of `/proc/keys` contains a keyring that belongs neither to a user nor to the kernel. */
export function hasSessionKeyring(listing: string): boolean {
  return listing.split("\n").some((entry) => {
    const name = /\skeyring\s+(\S+?):/.exec(entry)?.[1];
    return name !== undefined && !/^(?:\.|_uid\.|_uid_ses\.|_persistent\.)/.test(name);
  });
}

function keys(): string {
  try {
    return readFileSync("/proc/keys", "latin1");
  } catch {
    return "";
  }
}
