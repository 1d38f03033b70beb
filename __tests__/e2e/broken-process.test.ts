/** A bug of wave's own, and output that nobody can write down: the process ends, with a status that means something, and nothing runs on or is lost. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledChild, type Fixture } from "../rig/bundled-child.ts";
import { cli, project } from "../rig/project.ts";

let preload: Fixture;
beforeAll(async () => {
  preload = await bundledChild(new URL("../rig/broken-parts.ts", import.meta.url));
});
afterAll(() => preload.close());

const broken = (how: string) => ({ NODE_OPTIONS: `--import ${pathToFileURL(preload.file)}`, WAVE_TEST_BUG: how });
const inPlace = (command: string) =>
  `sandbox: off\ndefaults: { workspace: shared }\npersonas: { worker: { command: ${JSON.stringify(command)} } }\nsteps:\n  - { id: a, persona: worker }\n`;

describe("a bug", () => {
  it("ends the process, whatever is still open in it", async () => {
    const wave = project({ "wave.yaml": inPlace("true") });
    const run = await wave.start(["run"], broken("thrown")).finished;
    expect({ code: run.code, signal: run.signal }).toEqual({ code: 70, signal: null });
    expect(run.stderr).toMatch(/^error: this is a bug in wave, please report it\nTypeError: made to fail\n {4}at /m);
    expect(run.stderr.match(/bug in wave, please/g)).toHaveLength(1);
    expect((await wave.wave("status", "latest")).stdout).toContain("interrupted");
    expect((await wave.wave("resume")).code).toBe(0);
  });

  it("that nobody waits for cancels the run, with its children, and shows no bundle", async () => {
    const wave = project({ "wave.yaml": inPlace("echo $$ > pid; test -e again || exec sleep 300") });
    const run = await wave.start(["run"], broken("unawaited")).finished;
    expect({ code: run.code, signal: run.signal }).toEqual({ code: 70, signal: null });
    expect(run.stderr).toContain("error: this is a bug in wave, please report it\nError: nobody waits for this\n    at ");
    expect(`${run.stdout}${run.stderr}`.length).toBeLessThan(3000);
    const pid = Number(readFileSync(path.join(wave.root, "pid"), "utf8"));
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect((await wave.wave("status", "latest")).stdout).toContain("cancelled");
    wave.write({ again: "" });
    expect((await wave.wave("resume")).code).toBe(0);
  });
});

describe.runIf(existsSync("/dev/full"))("output that cannot be written", () => {
  const run = (redirection: string, ...words: string[]) => {
    const wave = project({ "wave.yaml": inPlace("echo done > done.txt") });
    const shell = `exec "$0" "$@" ${redirection}`;
    const { status, stdout, stderr } = spawnSync("sh", ["-c", shell, process.execPath, cli, ...words], {
      cwd: wave.root,
      encoding: "utf8",
    });
    return { wave, status, stdout, stderr };
  };
  const lost = "error: not everything could be written to standard output (ENOSPC): no space is left on the device\n";

  it.each([[["plan", "--json"]], [["run", "--json"]], [["--help"]], [["validate", "--format", "json"]]])(
    "on standard output: `%s` says so and exits 4",
    (words) => {
      const { status, stderr } = run(">/dev/full", ...words);
      expect({ status, stderr }).toEqual({ status: 4, stderr: lost });
    },
  );

  it("does not disturb a run, whose verdict stands where it is no success", async () => {
    const ended = run("2>/dev/full", "run");
    expect(ended.status).toBe(4);
    expect(existsSync(path.join(ended.wave.root, "done.txt"))).toBe(true);
    expect((await ended.wave.wave("status", "latest")).stdout).toContain("passed");
    expect(run(">/dev/full", "run", "-f", "none.yaml").status).toBe(2);
  });

  it("to a reader that has left is none of anybody's business", () => {
    const wave = project({ "wave.yaml": inPlace("true") });
    const { status, stdout, stderr } = spawnSync("bash", ["-c", '"$0" "$1" plan | true; exit $PIPESTATUS', process.execPath, cli], {
      cwd: wave.root,
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });
});
