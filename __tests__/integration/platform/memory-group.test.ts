/** Control groups: candidate directories, and the files written and read there. Plain files simulate version 2. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { groupPlaces, hasMemoryGroups, openMemoryGroup } from "../../../src/platform/memory-group.ts";
import { bundledChild } from "../../rig/bundled-child.ts";
import { cli } from "../../rig/project.ts";

describe("candidate directories for groups", () => {
  const unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
  const memory = "33 30 0:29 / /sys/fs/cgroup/memory rw shared:11 - cgroup cgroup rw,memory";

  test.each([
    [
      "below and beside a service's own",
      "0::/system.slice/agent.service\n",
      unified,
      [
        { version: 2, directory: "/sys/fs/cgroup/system.slice/agent.service" },
        { version: 2, directory: "/sys/fs/cgroup/system.slice" },
      ],
    ],
    ["the root of a container", "0::/\n", unified, [{ version: 2, directory: "/sys/fs/cgroup" }]],
    [
      "a mount of a part",
      "0::/docker/abc/inner\n",
      unified.replace(" / /sys", " /docker/abc /sys"),
      [
        { version: 2, directory: "/sys/fs/cgroup/inner" },
        { version: 2, directory: "/sys/fs/cgroup" },
      ],
    ],
    ["version 1, where the controller is", "4:memory:/a/b\n1:cpu:/\n", memory, [{ version: 1, directory: "/sys/fs/cgroup/memory/a/b" }]],
    ["nothing is mounted", "0::/x\n4:memory:/y\n", "", []],
    ["nothing is known", "", unified, []],
  ] as const)("%s", (_, groups, mounts, expected) => {
    expect(groupPlaces(groups, mounts)).toEqual(expected);
  });
});

describe("a group of version 2", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "wave-groups-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("sets its limit, reports the kernel's counters, and kills its processes when closed", async () => {
    const group = openMemoryGroup(5_000_000, { version: 2, directory });
    const [name = ""] = readdirSync(directory);
    const inside = (file: string) => path.join(directory, name, file);
    expect(readFileSync(inside("memory.max"), "utf8")).toBe("5000000");
    expect(group?.usage()).toEqual({ peakBytes: 0, exceeded: false });
    writeFileSync(inside("memory.current"), "1000\n");
    writeFileSync(inside("memory.events"), "low 0\nmax 3\noom 1\noom_kill 0\n");
    expect(group?.usage()).toEqual({ peakBytes: 1000, exceeded: false });
    writeFileSync(inside("memory.peak"), "4999000\n");
    writeFileSync(inside("memory.events"), "low 0\nmax 3\noom 1\noom_kill 2\n");
    expect(group?.usage()).toEqual({ peakBytes: 4_999_000, exceeded: true });

    const command = group?.entering(["sh", "-c", "echo in; exec sleep 60"]) ?? [];
    const child = spawn(command[0] ?? "", command.slice(1), { stdio: ["ignore", "pipe", "ignore"], detached: true });
    // A kernel replaces the 0 that the shell writes by its process id.
    await once(child.stdout, "data");
    expect(readFileSync(inside("cgroup.procs"), "utf8")).toBe("0\n");
    writeFileSync(inside("cgroup.procs"), `${child.pid}\n`);
    const ended = once(child, "exit");
    group?.close();
    expect(await ended).toEqual([null, "SIGKILL"]);
  });

  test("does not kill its own process group for a 0, a process of another pid namespace", async () => {
    const fixture = await bundledChild(new URL("../../rig/group-close-child.ts", import.meta.url));
    try {
      writeFileSync(path.join(directory, "cgroup.procs"), "0\n");
      const closing = spawn(process.execPath, [fixture.file, directory], { stdio: "ignore", detached: true });
      expect(await once(closing, "exit")).toEqual([0, null]);
    } finally {
      fixture.close();
    }
  });

  test("is not created if its limit cannot be written", () => {
    writeFileSync(path.join(directory, "file"), "");
    expect(openMemoryGroup(1, { version: 2, directory: path.join(directory, "file") })).toBeUndefined();
    expect(openMemoryGroup(1, { version: 2, directory: path.join(directory, "missing") })).toBeUndefined();
    expect(existsSync(path.join(directory, "missing"))).toBe(false);
  });
});

test.runIf(hasMemoryGroups())("the next process of Wave removes the group of a dead process, but not of a live one", () => {
  const [place] = groupPlaces(readFileSync("/proc/self/cgroup", "utf8"), readFileSync("/proc/self/mountinfo", "utf8"));
  const dead = spawnSync("true").pid;
  const [orphan, own] = [dead, process.pid].map((pid) => path.join(place?.directory ?? "", `wave-${pid}-0`));
  for (const directory of [orphan, own]) mkdirSync(directory ?? "");
  const doctor = spawnSync(process.execPath, [cli, "doctor"], { encoding: "utf8" });
  expect(doctor.stdout).toContain("the kernel enforces limits");
  expect([existsSync(orphan ?? ""), existsSync(own ?? "")]).toEqual([false, true]);
  rmdirSync(own ?? "");
});
