/**
 * A call of the file system fails in the middle of a run, wherever one is made: the process ends with a status that means something, says what is wrong
 * without a stack, and what comes after it finds a state that it can go on with.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledChild, type Fixture } from "../rig/bundled-child.ts";
import type { Fault } from "../rig/failing-files.ts";
import { cli, type Finished, type Project, project } from "../rig/project.ts";
import { thorough } from "../rig/thorough.ts";

/** Everything that makes a run touch files: an artifact that travels, a change that does, two contracts, a step that is sent back. */
const manifest = `
personas:
  worker: { command: 'echo {} > "$WAVE_OUTPUT_DIR/$WAVE_STEP_ID.json"; echo $WAVE_STEP_ID > $WAVE_STEP_ID.txt' }
pipeline:
  name: faults
  steps:
    - { id: make, persona: worker, artifacts: [make], handover: { contract: { type: json_schema, schema: made.schema.json } } }
    - id: use
      persona: worker
      inputs: [make]
      artifacts: [use]
      dependencies: [make]
      handover: { contract: { name: second, type: test_suite, command: 'test "$WAVE_ATTEMPT" -gt 1', on_failure: retry, backoff_strategy: none } }
`;

const files = { "made.schema.json": '{ "type": "object" }' };

let preload: Fixture;
let place: string;

beforeAll(async () => {
  preload = await bundledChild(new URL("../rig/failing-files.ts", import.meta.url));
  place = mkdtempSync(path.join(tmpdir(), "wave-faults-"));
});
afterAll(() => {
  preload.close();
  rmSync(place, { recursive: true });
});

function runWith(wave: Project, fault: Omit<Fault, "below">): Promise<Finished> {
  const env = {
    NODE_OPTIONS: `--import ${pathToFileURL(preload.file)}`,
    WAVE_TEST_FAULT: JSON.stringify({ ...fault, below: wave.root }),
  };
  return wave.start(["run"], env).finished;
}

/** `wave run`, under a limit that the shell sets. */
function limited(wave: Project, limit: string): Promise<Finished> {
  const child = spawn("sh", ["-c", `${limit}; exec "$0" "$@"`, process.execPath, cli, "run"], { cwd: wave.root });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, ...said })));
}

/** The number of the first call from each place of the program. */
async function places(text: string, calls: Fault["calls"]): Promise<number[]> {
  const list = path.join(place, `${calls}.${Math.random()}`);
  const calm = await runWith(project({ "wave.yaml": text, ...files }), { at: 0, code: "EIO", calls, list });
  expect({ code: calm.code, stderr: calm.stderr.includes("bug") }).toEqual({ code: 0, stderr: false });
  const lines = readFileSync(list, "utf8").split("\n").slice(0, -1);
  return [...new Set(lines)].map((line) => lines.indexOf(line) + 1);
}

// Not each place each time, which takes minutes: of those that write every third, of the many more that look every eighth.
describe.each([
  ["isolated steps", manifest],
  ["steps in place", `sandbox: off\ndefaults: { workspace: shared }\n${manifest}`],
])("with %s", (_name, text) => {
  it.each([
    ["a full disk", "write", "ENOSPC", thorough ? 1 : 3, 18],
    ["a broken one", "read", "EIO", thorough ? 1 : 8, 45],
  ] as const)("%s", { timeout: thorough ? 1_200_000 : 300_000 }, async (_what, calls, code, every, fewest) => {
    const all = await places(text, calls);
    expect(all.length).toBeGreaterThan(fewest);
    const left = all.filter((_, index) => index % every === 0);
    const seen: unknown[] = [];
    const lane = async () => {
      for (let at = left.pop(); at !== undefined; at = left.pop()) {
        const wave = project({ "wave.yaml": text, ...files });
        const run = await runWith(wave, { at, code, calls });
        const said = `${run.stdout}${run.stderr}`;
        if (
          ![0, 1, 2, 4].includes(run.code ?? -1) ||
          /bug in wave|^error: E[A-Z]+: |^\s+at .*(?:file:|node:|\.js:).*\d+:\d+\)?$/m.test(said)
        )
          seen.push({ at, ...run });
        const again = await wave.wave("resume");
        // Nothing to resume: it passed, or it never began.
        if (again.code !== 0 && !(again.code === 2 && (await wave.wave("run")).code === 0)) seen.push({ at, run, again });
      }
    };
    await Promise.all([lane(), lane()]);
    expect(seen).toEqual([]);
  });
});

it.runIf(process.platform === "linux")("with few files that may be open, from where Node itself starts", { timeout: 120_000 }, async () => {
  const left = Array.from({ length: 14 }, (_, index) => 18 + index);
  const seen: unknown[] = [];
  let told = 0;
  const lane = async () => {
    for (let limit = left.pop(); limit !== undefined; limit = left.pop()) {
      const wave = project({ "wave.yaml": manifest, ...files });
      const { code, signal, stdout, stderr } = await limited(wave, `ulimit -n ${limit}`);
      // Node could not even read the program.
      if (signal !== null || /EMFILE: too many open files, open '[^']*cli\.js'/.test(stderr)) continue;
      if (stderr.includes("(EMFILE)") || stdout.includes("(EMFILE)")) told += 1;
      const again = await wave.wave("resume");
      if (![0, 1, 2, 4].includes(code ?? -1) || stderr.includes("bug in wave") || ![0, 2].includes(again.code ?? -1))
        seen.push({ limit, code, stdout, stderr, again });
    }
  };
  await Promise.all([lane(), lane()]);
  expect(seen).toEqual([]);
  expect(told).toBeGreaterThan(0);
});
