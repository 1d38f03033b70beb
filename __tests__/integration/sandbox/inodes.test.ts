/**
 * Tests that no inode of the machine can be changed from inside a sandbox, below any of its mounts, in every mode that
 * this machine supports.
 */
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Bind } from "../../../src/sandbox/view.ts";
import { inodeProbe, type ProbedInodes } from "../../rig/escape-inodes.ts";
import { buildableModes, runSandboxed, type SandboxPlace, sandboxPlace, viewOf } from "../../rig/sandbox-rig.ts";

/** Mode, owner and ctime of device nodes and of the kernel's entries, whose inodes all mounts share. */
function machineInodes(): Record<string, string> {
  const devices = ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`);
  const kernel = ["/proc", "/proc/net/"].flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => !/^(?:\d+|self|thread-self)$/.test(name))
      .map((name) => path.join(directory, name)),
  );
  const facts = (place: string) => {
    const { mode, uid, gid, ctimeMs } = lstatSync(place);
    return [mode, uid, gid, ...(place.startsWith("/dev/") ? [ctimeMs] : [])].join(" ");
  };
  return Object.fromEntries([...devices, ...kernel].map((place) => [place, facts(place)]));
}

const modes = (await buildableModes()).flatMap((isolation) => [
  [isolation.mode, isolation] as const,
  // A kernel may refuse user namespaces below root.
  ...(isolation.mode === "root" ? [["root without a user namespace", { ...isolation, ownUser: false }] as const] : []),
]);

describe.each(modes)("in a sandbox built with %s", (_mode, isolation) => {
  let place: SandboxPlace;
  beforeEach(() => {
    place = sandboxPlace(isolation);
  });
  afterEach(() => place.remove());
  const own = () => [place.project, "/tmp", "/wave/home", "/wave/output", "/dev/shm", "/dev/pts"];
  const network = { kind: "host" } as const;

  test("the kernel refuses every change of an inode outside the attempt's own directories", async () => {
    const before = machineInodes();
    const { stdout, stderr } = await runSandboxed(place, [process.execPath, "-e", inodeProbe, ...own()], { view: { network } });
    const probed = JSON.parse(stdout) as ProbedInodes;
    expect(probed.changed, stderr).toEqual([]);
    expect(probed.mounts).toBeGreaterThan(30);
    expect(probed.inodes).toBeGreaterThan(500);
    expect(machineInodes()).toEqual(before);
  });

  test("the probe finds changes in a directory that the attempt owns", async () => {
    const others = own().filter((name) => name !== "/wave/home");
    const { stdout } = await runSandboxed(place, [process.execPath, "-e", inodeProbe, ...others], { view: { network } });
    const { changed, attributes } = JSON.parse(stdout) as ProbedInodes;
    const operations = ["lchown", "lutimes", "chmod", "create", "mkdir", ...(attributes ? ["setxattr"] : [])];
    expect(changed).toEqual(expect.arrayContaining(operations.map((name) => `${name} /wave/home`)));
  });

  test("devices are read and written although their inodes are read-only", async () => {
    const script = "echo x >/dev/null && head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; echo x >/dev/full || echo full";
    expect((await runSandboxed(place, script)).stdout).toBe("3\n3\nfull\n");
  });

  test.each(["overlay", "directory"] as const)("a device node in a project shown as %s cannot be opened", async (kind) => {
    const zero = path.join(place.project, "zero");
    const binds = nodeOf("/dev/zero", zero);
    const view = viewOf(place, { network });
    const tree = kind === "overlay" ? view.tree : ({ kind, source: place.project } as const);
    const { stdout } = await runSandboxed(place, "test -c zero && echo there; head -c 1 zero | wc -c", {
      view: { tree, binds: [...view.binds, ...binds] },
    });
    expect(stdout).toBe("there\n0\n");
  });
});

/** Creates a node at a path, or returns the bind that shows one there: only root can create nodes. */
function nodeOf(device: string, place: string): readonly Bind[] {
  if (process.getuid?.() === 0) {
    execFileSync("mknod", ["-m", "666", place, "c", "1", "5"]);
    return [];
  }
  writeFileSync(place, "");
  return [{ source: device, target: place, writable: true, isFile: true }];
}
