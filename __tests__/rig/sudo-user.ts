/**
 * A user who may run everything through `sudo` without a password, as on GitHub's runners. Root makes one for a test: the user exists only in a
 * mount namespace, in which copies lie over `/etc/passwd`, `/etc/group` and `/etc/sudoers`. Only the package `sudo` is installed for good,
 * where there is none and Debian's `apt-get` can.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const isRoot = process.getuid?.() === 0;
const name = "wave-test";

/** Why there is no such user here; undefined if there is one. */
export function whyNoSudo(): string | undefined {
  if (process.platform !== "linux") return `there is no sudo way on ${process.platform}`;
  if (!isRoot) return succeeds("sudo", ["-n", "true"]) ? undefined : "this user has no passwordless sudo";
  if (!existsSync(sudo)) install();
  if (!existsSync(sudo)) return "sudo is not installed, and apt-get cannot install it";
  const place = userFiles(61_235);
  const works = succeeds("unshare", [...asUser(61_235, place), "sudo", "-n", "true"]);
  rmSync(place, { recursive: true, force: true });
  return works ? undefined : "sudo is installed, but refuses a user with NOPASSWD";
}

const sudo = "/usr/bin/sudo";

/** One installation at a time, for all processes that run tests. */
function install(): void {
  const apt = "apt-get -y -o Acquire::Retries=1 -o Acquire::http::Timeout=20";
  const script = `[ -e ${sudo} ] || { ${apt} install --no-install-recommends sudo || { ${apt} update && ${apt} install --no-install-recommends sudo; }; }`;
  const lock = path.join(tmpdir(), "wave-install-sudo.lock");
  spawnSync("flock", [lock, "sh", "-c", script], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: "ignore",
    timeout: 120_000,
  });
}

function succeeds(program: string, words: readonly string[]): boolean {
  return spawnSync(program, [...words], { stdio: "ignore", timeout: 20_000 }).status === 0;
}

/** A directory with the files that name the user. */
export function userFiles(uid: number): string {
  const place = mkdtempSync(path.join(tmpdir(), "wave-sudo-"));
  const files = {
    passwd: `${readFileSync("/etc/passwd", "utf8")}${name}:*:${uid}:${uid}::/nonexistent:/bin/sh\n`,
    group: `${readFileSync("/etc/group", "utf8")}${name}:*:${uid}:\n`,
    sudoers: `Defaults !requiretty, env_reset\nroot ALL=(ALL:ALL) ALL\n${name} ALL=(ALL) NOPASSWD:SETENV: ALL\n`,
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(place, file), text);
  chmodSync(path.join(place, "sudoers"), 0o440);
  chmodSync(place, 0o755);
  return place;
}

/** The words for `unshare` that run a command as the user. */
export function asUser(uid: number, place: string): readonly string[] {
  const binds = ["passwd", "group", "sudoers"].map((file) => `mount --bind "$0/${file}" /etc/${file}`).join(" && ");
  const become = `exec setpriv --reuid=${uid} --regid=${uid} --clear-groups -- "$@"`;
  return ["--mount", "--propagation", "private", "--", "/bin/sh", "-c", `${binds} && ${become}`, place];
}
