/** A run that is recorded, and replayed by whoever has the recording alone: through the built binary, on real projects. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { EventOf, WaveEvent } from "../../src/core/event.ts";
import { type Project, project } from "../rig/project.ts";

const secret = "s3cret-that-nobody-may-see";

const work = `
set -e
if [ "$WAVE_ATTEMPT" = 1 ]; then echo first > made.txt; exit 0; fi
echo second > made.txt
mkdir -p deep/.hidden ignored
echo '*.log' > deep/.gitignore
printf 'run me' > deep/run.sh; chmod +x deep/run.sh
ln -s ../made.txt deep/.hidden/link
rm old.txt; rm -r olddir
echo '{"covered":97}' > ignored/coverage.json
echo notes > "$WAVE_OUTPUT_DIR/notes.md"
`;

const manifest = `
adapters: { replay: { recordings: recording } }
secrets: [TOKEN]
pipeline:
  name: demo
  steps:
    - id: analyze
      persona: scout
      task: "Look at {{ input }}"
      artifacts: [{ name: report, source: message }]
    - id: build
      persona: maker
      dependencies: [analyze]
      inputs: [report]
      task: Build it
      artifacts: [notes, { name: coverage, path: "ignored/*.json" }]
      handover: { contract: { type: test_suite, command: "grep -q second made.txt", on_failure: retry, backoff_strategy: none } }
personas:
  scout: { system_prompt: Scout, command: 'printf "{\\"seen\\": \\"$TOKEN\\"}" | sed "s/s3cret.*see/it/"; echo "$TOKEN" > "$WAVE_OUTPUT_DIR/scratch.txt"' }
  maker: { system_prompt: Make, command: [sh, work.sh] }
`;

/** A step that builds on the changes of another. */
const chain = `
adapters: { replay: { recordings: recording } }
personas:
  first: { system_prompt: Make, command: "echo made > made.txt" }
  second: { system_prompt: Build, command: "cat made.txt > built.txt" }
steps:
  - { id: make, persona: first, task: Make }
  - { id: build, persona: second, task: Build, dependencies: [make] }
`;

const files = {
  "wave.yaml": manifest,
  "work.sh": work,
  "old.txt": "old",
  "olddir/x": "old",
  ".gitignore": "ignored/\n",
};

/** What git ignores is no change; a recording has it where it is an artifact. */
function tracked(more: Readonly<Record<string, string>> = {}): Project {
  const wave = project({ ...files, ...more });
  execFileSync("git", ["init", "-q", wave.root]);
  return wave;
}

const hasRuns = ({ root }: Project) => existsSync(path.join(root, ".wave/state/journals"));

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** Runs with a recording that lies outside of the project. */
async function recorded(more: Readonly<Record<string, string>> = {}, words: readonly string[] = []) {
  const wave = tracked(more);
  const directory = path.join(mkdtempSync(path.join(tmpdir(), "wave-recording-")), "recording");
  made.push(path.dirname(directory));
  const run = await wave.start(["run", "--input", "the code", "--record", directory, ...words], { TOKEN: secret }).finished;
  return { wave, directory, run };
}

function withRecording(directory: string, more: Readonly<Record<string, string>> = {}): Project {
  const wave = tracked(more);
  cpSync(directory, path.join(wave.root, "recording"), { recursive: true });
  return wave;
}

const replayed = (wave: Project, ...words: string[]) => wave.wave("run", "--adapter", "replay", "--input", "the code", ...words);

/** What of a run is the same whoever did it, and wherever. */
function outcomeOf(events: readonly WaveEvent[]) {
  return events.flatMap((event) => {
    switch (event.type) {
      case "attempt-passed":
        return [[event.type, event.step, event.attempt, event.artifacts, event.changes]];
      case "attempt-failed":
        return [[event.type, event.step, event.attempt, event.failure.reason, event.artifacts, event.retry?.attempt]];
      case "contract-checked":
        return [[event.type, event.step, event.attempt, event.result.name, event.result.verdict]];
      case "step-finished":
        return [[event.type, event.step, event.status]];
      case "run-finished":
        return [[event.type, event.status]];
      default:
        return [];
    }
  });
}

const below = (directory: string) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .sort();

describe("a recording", () => {
  test("is files that people can read, and holds no secret", async () => {
    const { directory, run } = await recorded();
    expect([run.code, below(directory)]).toEqual([
      0,
      [
        "analyze/1/attempt.json",
        "analyze/1/message.md",
        "analyze/1/output/scratch.txt.recorded",
        "build/1/attempt.json",
        "build/1/changes/made.txt.recorded",
        "build/2/attempt.json",
        "build/2/before/old.txt.recorded",
        "build/2/before/olddir/x.recorded",
        "build/2/changes/deep/%2Egitignore.recorded",
        "build/2/changes/deep/%2Ehidden/link.recorded",
        "build/2/changes/deep/run.sh.recorded",
        "build/2/changes/ignored/coverage.json.recorded",
        "build/2/changes/made.txt.recorded",
        "build/2/output/notes.md.recorded",
        "recording.json",
      ],
    ]);
    expect(JSON.parse(readFileSync(path.join(directory, "recording.json"), "utf8"))).toEqual({ v: 1, pipeline: "demo", input: "the code" });
    expect(readFileSync(path.join(directory, "analyze/1/output/scratch.txt.recorded"), "utf8")).toBe("***\n");
    for (const file of below(directory)) expect(readFileSync(path.join(directory, file), "utf8")).not.toContain(secret);
    expect(JSON.parse(readFileSync(path.join(directory, "build/2/attempt.json"), "utf8"))).toEqual({
      ...{ v: 1, step: "build", attempt: 2, adapter: "command/1", message: false },
      asked: Object.fromEntries(
        ["format", "persona", "task", "artifacts", "secrets", "input:report"].map((part) => [part, expect.stringMatching(/^sha256:/)]),
      ),
      changes: [
        { path: "deep/.gitignore", mode: "100644", before: "deleted" },
        { path: "deep/.hidden/link", mode: "120000", before: "deleted" },
        { path: "deep/run.sh", mode: "100755", before: "deleted" },
        { path: "made.txt", mode: "100644" },
        { path: "old.txt", mode: "deleted", before: "100644" },
        { path: "olddir/x", mode: "deleted", before: "100644" },
        { path: "ignored/coverage.json", mode: "100644" },
      ],
      output: [{ path: "notes.md", mode: "100644" }],
    });
  });

  test("replayed elsewhere gives the same attempts, verdicts, artifacts and files, and starts no persona", async () => {
    const { wave, directory } = await recorded();
    const other = withRecording(directory, { "work.sh": "exit 99", "unrelated.txt": "another base" });
    const run = await replayed(other);
    expect([run.code, run.stderr.includes("replay")]).toEqual([0, true]);
    expect(outcomeOf(other.events())).toEqual(outcomeOf(wave.events()));
    expect(outcomeOf(other.events()).filter(([type]) => type === "attempt-failed")).toHaveLength(1);
    const read = (root: string, file: string) => readFileSync(path.join(root, file), "utf8");
    for (const file of ["made.txt", "deep/run.sh", "deep/.gitignore"]) expect(read(other.root, file)).toBe(read(wave.root, file));
    expect(readlinkSync(path.join(other.root, "deep/.hidden/link"))).toBe("../made.txt");
    expect(statSync(path.join(other.root, "deep/run.sh")).mode & 0o111).not.toBe(0);
    expect(["old.txt", "olddir"].map((name) => existsSync(path.join(other.root, name)))).toEqual([false, false]);
  });

  test("is found by what is asked: what has changed since is named, with the way to record it again", async () => {
    const { directory } = await recorded();
    const wave = withRecording(directory, { "wave.yaml": manifest.replace("Build it", "Build it well") });
    const run = await replayed(wave);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("attempt 1 of step `build` has no recording");
    expect(run.stderr).toContain("the step has changed since it was recorded: task");
    expect(run.stderr).toContain(`wave run --record ${path.join(wave.root, "recording")}`);
    const other = await withRecording(directory).wave("run", "--adapter", "replay", "--input", "other code");
    expect([other.code, other.stderr.includes("attempt 1 of step `analyze` has no recording")]).toEqual([1, true]);
  });

  test("is not used in a project that already contains the recorded changes, and a hint names `wave rollback`", async () => {
    const wave = project({ "wave.yaml": chain });
    const recorded = await wave.wave("run", "--record", "recording", "--json");
    expect([recorded.code, existsSync(path.join(wave.root, "made.txt"))]).toEqual([0, true]);
    const again = await replayed(wave);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("attempt 1 of step `build` has no recording");
    expect(again.stderr).toContain("the step has changed since it was recorded: changes");
    expect(again.stderr).toContain("revert them with `wave rollback`; if you edited the recording, record the later steps again");
    const { run } = JSON.parse(recorded.stdout.split("\n")[0] ?? "") as WaveEvent;
    expect(await wave.wave("rollback", run, "--yes")).toMatchObject({ code: 0 });
    expect((await replayed(wave)).code).toBe(0);
  });

  test("that lacks an attempt, or was edited into nonsense, says so", async () => {
    const { directory } = await recorded();
    const wave = withRecording(directory);
    rmSync(path.join(wave.root, "recording/build/2"), { recursive: true });
    const run = await replayed(wave);
    expect([run.code, run.stderr.includes("attempt 2 of step `build` has no recording")]).toEqual([1, true]);
    expect(run.stderr).toContain("has only attempt 1 of this step");
    const file = path.join(wave.root, "recording/analyze/1/attempt.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"attempt": 1', '"attempt": "one"'));
    const edited = await replayed(wave);
    expect([edited.code, edited.stderr.includes(`${file}: \`attempt\` must be a whole number from 1`)]).toEqual([1, true]);
  });

  test("cannot write where the step may not, and not outside of the project", async () => {
    const { directory } = await recorded();
    const wave = withRecording(directory, {
      "wave.yaml": manifest.replace("task: Build it", 'task: Build it\n      permissions: { allow: ["file_write:src/**"] }'),
    });
    const attempt = path.join(wave.root, "recording/build/1/attempt.json");
    const text = JSON.parse(readFileSync(attempt, "utf8"));
    delete text.asked.permissions;
    writeFileSync(attempt, JSON.stringify(text));
    const asked = await replayed(wave);
    expect(asked.stderr).toContain("the step has changed since it was recorded: permissions");
    const escaping = withRecording(directory);
    const edited = path.join(escaping.root, "recording/build/1/attempt.json");
    writeFileSync(edited, readFileSync(edited, "utf8").replaceAll('"made.txt"', '"../made.txt"'));
    cpSync(
      path.join(directory, "build/1/changes/made.txt.recorded"),
      path.join(escaping.root, "recording/build/1/changes/%2E%2E/made.txt.recorded"),
    );
    const run = await replayed(escaping);
    expect([run.code, run.stderr.includes("`../made.txt`")]).toEqual([1, true]);
    expect(existsSync(path.join(escaping.root, "../made.txt"))).toBe(false);
  });

  test("keeps failures too: they are replayed as they were", async () => {
    const { directory, run } = await recorded({ "work.sh": "echo broken >&2; exit 7" });
    expect(run.code).toBe(1);
    const wave = withRecording(directory);
    const again = await replayed(wave);
    expect([again.code, again.stderr.includes("the command exited with 7")]).toEqual([1, true]);
    const failed = wave.events().filter((event): event is EventOf<"attempt-failed"> => event.type === "attempt-failed");
    expect(failed.map(({ failure }) => failure)).toEqual(
      [1, 2, 3].map(() => ({ reason: "adapter-exit", exitCode: 7, tail: "broken\n" })).slice(0, failed.length),
    );
  });
});

describe("recording over a recording", () => {
  test("replaces it, or with --steps only those steps, and leaves what people put beside", async () => {
    const { wave, directory } = await recorded();
    writeFileSync(path.join(directory, "README.md"), "ours");
    const before = statSync(path.join(directory, "build/2/attempt.json")).mtimeMs;
    wave.write({ "old.txt": "old", "olddir/x": "old", "wave.yaml": manifest.replace("Look at", "Look well at") });
    const words = ["run", "--input", "the code", "--record", directory];
    const part = await wave.start([...words, "--steps", "analyze"], { TOKEN: secret }).finished;
    expect([part.code, statSync(path.join(directory, "build/2/attempt.json")).mtimeMs]).toEqual([0, before]);
    rmSync(path.join(wave.root, "deep"), { recursive: true });
    wave.write({ "work.sh": `WAVE_ATTEMPT=2; ${work}` });
    expect((await wave.start(words, { TOKEN: secret }).finished).code).toBe(0);
    expect(readdirSync(path.join(directory, "build"))).toEqual(["1"]);
    expect(readFileSync(path.join(directory, "README.md"), "utf8")).toBe("ours");
  });

  test.each([
    ["with --reuse", ["--reuse"], {}, "cannot record a reused step"],
    [
      "of a step in the project itself",
      [],
      { "wave.yaml": manifest.replace("id: build", "id: build\n      workspace: shared") },
      "step `build` cannot be recorded",
    ],
    ["of a replay", ["--adapter", "replay"], { "recording/recording.json": '{"v":1,"pipeline":"demo"}' }, "it replays a recording"],
  ])("is refused %s", async (_, words, more, said) => {
    const { run, directory } = await recorded(more, words);
    expect([run.code, run.stderr.includes(said), existsSync(directory)]).toEqual([2, true, false]);
  });

  test("is refused in a directory of something else", async () => {
    const wave = project(files);
    const run = await wave.wave("run", "--record", ".");
    expect([run.code, run.stderr.includes("is not empty and is not a recording"), hasRuns(wave)]).toEqual([2, true, false]);
  });
});

test("replayed work never stands for work, nor work for a replay", async () => {
  const { directory } = await recorded();
  const wave = withRecording(directory);
  expect((await replayed(wave, "--no-apply")).code).toBe(0);
  const first = wave.events()[0]?.run;
  const real = await wave.start(["run", "--input", "the code", "--reuse", "--no-apply"], { TOKEN: secret }).finished;
  expect(real.code).toBe(0);
  expect(wave.events().filter(({ type }) => type === "step-reused")).toEqual([]);
  const plan = JSON.parse((await wave.wave("plan", "--json", "--adapter", "replay", "--input", "the code")).stdout);
  expect(JSON.stringify(plan)).not.toContain('"kind":"recheck"');
  expect((await replayed(wave, "--reuse", "--no-apply")).code).toBe(0);
  const reused = wave.events().filter((event): event is EventOf<"step-reused"> => event.type === "step-reused");
  expect(new Set(reused.map(({ from }) => from.run))).toEqual(new Set([first]));
});

test.each([
  ["nothing names a recording", manifest.replace("adapters: { replay: { recordings: recording } }", ""), "has nothing to replay"],
  ["it is not there", manifest, "there is no recording in"],
])("a replay is refused before any work where %s", async (_, text, said) => {
  const wave = project({ ...files, "wave.yaml": text });
  const run = await replayed(wave);
  expect([run.code, run.stderr.includes(said), hasRuns(wave)]).toEqual([4, true, false]);
});
