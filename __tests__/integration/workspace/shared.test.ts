import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sharedProvider } from "../../../src/workspace/shared.ts";
import { step } from "../../rig/plan-fixtures.ts";
import { workspaceConformance } from "../../rig/workspace-conformance.ts";

workspaceConformance("sharedProvider", (place) => sharedProvider({ ...place, graceMs: 200 }));

describe("in the project itself", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "wave-shared-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  async function open(run = "run1", attempt = 1) {
    const provider = sharedProvider({
      root,
      stateDir: path.join(root, ".wave/state"),
      env: { PATH: process.env.PATH, HOME: "/home/someone" },
    });
    const opened = await provider.open({ runId: run, step: step("one"), attempt, inputs: [], task: (paths) => paths.root });
    if (!opened.ok) throw new Error(JSON.stringify(opened.error));
    return opened.value;
  }

  test("puts directories under state, keeps the user's HOME, and writes to the project", async () => {
    const workspace = await open();
    const base = path.join(root, ".wave/state/workspaces/run1/one.1");
    expect(workspace.paths).toEqual({
      root,
      inputs: path.join(root, ".wave/state/workspaces/no-inputs"),
      output: base,
      taskFile: `${base}.md`,
      home: "/home/someone",
      temp: `${base}.tmp`,
    });
    const signal = new AbortController().signal;
    const command = ["sh", "-c", 'echo "$HOME" > made.txt'];
    await workspace.spawn({ command, env: {}, timeoutMs: 10_000, signal, role: "adapter", onOutput: () => {} });
    await workspace.discard("passed");
    expect(readFileSync(path.join(root, "made.txt"), "utf8")).toBe("/home/someone\n");
    expect(await workspace.changeset()).toEqual({ ok: true, value: undefined });
  });

  test("removes a run whose attempts all passed, and keeps other workspaces", async () => {
    const [first, second, other] = [await open(), await open("run1", 2), await open("run2")];
    await first.discard("passed");
    mkdirSync(path.join(second.paths.temp, "left"));
    await second.discard("passed");
    const workspaces = path.join(root, ".wave/state/workspaces");
    expect([readdirSync(path.join(workspaces, "run1")), existsSync(other.paths.output)]).toEqual([[], true]);
  });

  test("does not follow a symbolic link that replaces a directory while a file in it is read", async () => {
    const outside = mkdtempSync(path.join(tmpdir(), "wave-outside-"));
    writeFileSync(path.join(outside, "file"), "outside");
    mkdirSync(path.join(root, "d"));
    writeFileSync(path.join(root, "d/file"), "inside");
    symlinkSync(outside, path.join(root, "link"));
    const program = `const { renameSync: move } = require("node:fs"); console.log("up");
      for (;;) { move("d", "aside"); move("link", "d"); move("d", "link"); move("aside", "d"); }`;
    const swapping = spawn(process.execPath, ["-e", program], { cwd: root });
    await new Promise((up) => swapping.stdout.once("data", up));
    const workspace = await open();
    const texts = new Set<string>();
    for (let round = 0; round < 3000; round++) {
      const read = await workspace.read("root", "d/file", 100);
      texts.add(read.ok ? Buffer.from(read.value).toString() : read.error.reason);
    }
    swapping.kill("SIGKILL");
    rmSync(outside, { recursive: true });
    expect(texts).toContain("inside");
    expect(texts).not.toContain("outside");
  });

  test("refuses an input's name that is not a plain file name", async () => {
    const provider = sharedProvider({ root, stateDir: path.join(root, ".wave/state"), env: {} });
    const inputs = [{ name: "../x", source: "/etc/passwd", mediaType: "text/plain" }];
    expect(await provider.open({ runId: "r", step: step("one"), attempt: 1, inputs, task: () => "" })).toEqual({
      ok: false,
      error: { reason: "workspace-failed", code: "EINVAL", detail: "`../x` cannot be the name of a file" },
    });
  });
});
