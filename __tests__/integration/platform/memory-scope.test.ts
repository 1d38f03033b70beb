/**
 * Memory limits of systemd. The test starts its own systemd as the first process of a namespace, with its own `/run` and no units, which creates
 * the scopes of a rig's child. Requires root, the program, and a machine without systemd; elsewhere, only the arguments are tested.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openMemoryScope, tryScopes } from "../../../src/platform/memory-scope.ts";
import { bundledChild, type Fixture } from "../../rig/bundled-child.ts";

const boot = [
  "mount --make-rprivate / && mount -t proc proc /proc && mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system || exit 1",
  "printf '[Unit]\\nDescription=Nothing\\nDefaultDependencies=no\\n' > /run/systemd/system/wave-test.target",
  "export container=wave",
  "exec /lib/systemd/systemd --system --unit=wave-test.target --log-level=warning --log-target=console",
].join("\n");

const namespaces = ["--pid", "--mount", "--uts", "--ipc"];
/** Its groups, which it leaves behind. No other process here has such groups. */
const sweep = "find /sys/fs/cgroup -depth -type d \\( -path '*/system.slice*' -o -path '*/init.scope*' \\) -exec rmdir {} +";
const canBoot =
  process.getuid?.() === 0 &&
  !existsSync("/run/systemd/system") &&
  existsSync("/lib/systemd/systemd") &&
  existsSync("/usr/bin/systemd-run") &&
  spawnSync("unshare", ["--fork", ...namespaces, "true"]).status === 0;

describe.runIf(canBoot)("with a systemd", () => {
  let systemd: ChildProcess;
  let fixture: Fixture;

  beforeAll(async () => {
    fixture = await bundledChild(new URL("../../rig/memory-scope-child.ts", import.meta.url));
    systemd = spawn("unshare", ["--fork", "--kill-child", ...namespaces, "sh", "-c", boot], { stdio: "ignore" });
  });
  afterAll(async () => {
    const ended = once(systemd, "exit");
    systemd.kill("SIGKILL");
    await ended;
    fixture.close();
    // The kernel keeps a group until its last process has ended.
    for (let tries = 0; tries < 60 && spawnSync("sh", ["-c", sweep], { stdio: "ignore" }).status !== 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
  });

  /** The first process of the namespace, once it accepts requests. */
  async function firstProcess(): Promise<string> {
    for (let tries = 0; tries < 200; tries++) {
      const pid = spawnSync("pgrep", ["-P", String(systemd.pid)], { encoding: "utf8" }).stdout.trim();
      const asked = pid === "" ? undefined : spawnSync("nsenter", ["-t", pid, "-p", "-m", "systemctl", "is-active", "wave-test.target"]);
      if (asked?.status === 0) return pid;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("systemd does not answer");
  }

  test("a child is killed at its limit, its peak is reported, and its scope is removed", async () => {
    const words = ["-t", await firstProcess(), "-p", "-m", "-u", "-i", process.execPath, fixture.file];
    const told = execFileSync("nsenter", words, { encoding: "utf8", timeout: 60_000 });
    const lines = told
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const limit = 64 * 1024 ** 2;
    const came = (name: string) => ({
      name,
      version: expect.any(Number),
      well: { code: 7, signal: null, printed: "kept,\n", exceeded: false, peakBytes: expect.any(Number) },
      badly: { code: null, signal: "SIGKILL", printed: "", exceeded: true, peakBytes: expect.any(Number) },
      gone: [true, true],
    });
    expect(lines).toEqual([
      came("as root"),
      came("by variables that a child does not see"),
      came("moved by somebody else"),
      { name: "by nobody", way: null },
    ]);
    for (const { badly } of lines.slice(0, 3)) {
      expect(badly.peakBytes).toBeGreaterThan(limit * 0.8);
      expect(badly.peakBytes).toBeLessThanOrEqual(limit * 1.05);
    }
  }, 120_000);
});

test("without a working systemd there is no scope", () => {
  expect(tryScopes({ command: ["no-such-program"], env: {} })).toBeUndefined();
  expect(tryScopes({ command: ["false"], env: {}, sudo: ["env"] })).toBeUndefined();
  expect(tryScopes({ command: ["env", "true"], env: {} })).toBeUndefined();
});

test("a child gets neither the variables nor the identity used for systemd", () => {
  const place = { version: 2, directory: "/sys/fs/cgroup/app.slice" } as const;
  const own = openMemoryScope(1000, { command: ["systemd-run", "--user"], env: { XDG_RUNTIME_DIR: "/run/user/1" }, place })?.entering([
    "ls",
    "-l",
  ]);
  expect(own?.slice(0, 4)).toEqual(["/usr/bin/env", "XDG_RUNTIME_DIR=/run/user/1", "systemd-run", "--user"]);
  expect(own).toEqual(expect.arrayContaining(["-p", "MemoryMax=1000", "MemorySwapMax=0"]));
  const separator = own?.indexOf("--") ?? -1;
  expect(own?.slice(separator + 1, separator + 4)).toEqual(["/usr/bin/env", "-u", "XDG_RUNTIME_DIR"]);
  expect(own?.slice(-3)).toEqual([String(process.pid), "ls", "-l"]);
});
