/** Tests that the probe's results about this machine are true, and that probing leaves nothing behind. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { probeIsolation } from "../../../src/sandbox/isolation.ts";
import { bundledChild } from "../../rig/bundled-child.ts";
import { buildableModes, runSandboxed, sandboxPlace } from "../../rig/sandbox-rig.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "wave-probe-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
const stateDir = () => path.join(root, ".wave/state");

describe("probing", () => {
  test("leaves no mounts or directories behind, and runs once", async () => {
    const before = readFileSync("/proc/mounts", "utf8");
    const request = { root, stateDir: stateDir(), env: {} };
    const first = probeIsolation(request);
    expect(await probeIsolation(request)).toBe(await first);
    expect(readFileSync("/proc/mounts", "utf8")).toBe(before);
    expect(existsSync(path.join(stateDir(), "workspaces")) ? readdirSync(path.join(stateDir(), "workspaces")) : []).toEqual([]);
  });

  test("reports only features that work", async () => {
    const isolation = await probeIsolation({ root, stateDir: stateDir(), env: {} });
    if (isolation.mode === "none") return expect(isolation.refused.length).toBeGreaterThan(0);
    const place = sandboxPlace(isolation);
    const tree = isolation.overlay ? {} : { tree: { kind: "directory", source: place.project } as const };
    const network = isolation.sandbox.network ? ({ kind: "none" } as const) : ({ kind: "host" } as const);
    expect(await runSandboxed(place, "echo ran >x; cat x", { view: { ...tree, network } })).toEqual({
      outcome: { kind: "exited", code: 0 },
      stdout: "ran\n",
      stderr: "",
    });
    return place.remove();
  });

  test("WAVE_ISOLATION restricts the modes, and a refusal contains the reason", async () => {
    const none = await probeIsolation({ root, stateDir: stateDir(), env: { WAVE_ISOLATION: "none" } });
    expect(none).toMatchObject({
      mode: "none",
      overlay: false,
      sandbox: { available: false, network: false },
      refused: [expect.any(String)],
    });
  });

  test("a state directory that cannot be created prevents overlays without a crash", async () => {
    writeFileSync(path.join(root, "file"), "");
    const isolation = await probeIsolation({ root, stateDir: path.join(root, "file/state"), env: {} });
    expect(isolation.overlay).toBe(false);
  });
});

describe.each((await buildableModes()).map((isolation) => [isolation.mode, isolation] as const))(
  "wave killed with -9 while a sandbox in mode %s runs",
  (mode, isolation) => {
    test("leaves no process and no mount behind", async () => {
      const place = sandboxPlace(isolation);
      const before = readFileSync("/proc/mounts", "utf8");
      const fixture = await bundledChild(new URL("../../rig/sandboxed-child.ts", import.meta.url));
      const word = `wave-${process.pid}-${mode}-orphan`;
      const started = fixture.start([JSON.stringify(place), word]);
      try {
        await started.untilLines(1);
        expect(processesWith(word).length).toBeGreaterThan(0);
        started.child.kill("SIGKILL");
        await started.ended;
        await expect.poll(() => processesWith(word), { timeout: 10_000, interval: 20 }).toEqual([]);
        expect(readFileSync("/proc/mounts", "utf8")).toBe(before);
      } finally {
        fixture.close();
        place.remove();
      }
    });
  },
);

/** Ids of live processes of this machine whose command line contains a word. */
function processesWith(word: string): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0");
      return /^\d+$/.test(name) && words.includes(word) && !words.some((one) => one.endsWith("child.mjs"));
    } catch {
      return false;
    }
  });
}
