import { describe, expect, test } from "vitest";
import type { Failure } from "../../../../src/core/failure.ts";
import { renderRun, renderRuns } from "../../../../src/reporters/console/render-status.ts";
import { renderSummary } from "../../../../src/reporters/console/render-summary.ts";
import { artifact, digest } from "../../../rig/plan-fixtures.ts";
import { attemptRecord, begin, result, runRecord, stepRecord } from "../../../rig/run-events.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told besides the text
const terminalCodes = /\u001b\[[?0-9;]*[a-zA-Z]/g;

const violated = result("shape", {
  verdict: "fail",
  violations: [{ message: "found `1`, expected >= 2", pointer: "/a", location: { file: "output/r.json", line: 2, column: 8 } }],
});
const contractFailed: Failure = { reason: "contract-failed", contracts: [violated] };
const options = { color: false, resume: "wave resume 3f9a -f examples/x/wave.yaml", blobs: ".wave/state/blobs" };
const surveyHex = digest("bytes").slice("sha256:".length);

const failedRun = runRecord({
  status: "failed",
  failure: { reason: "run-failed", run: "3f9a", steps: ["tests"] },
  steps: [
    stepRecord("survey", {
      artifacts: [artifact("survey", "bytes")],
      attempts: [
        attemptRecord({ status: "failed", failure: contractFailed, contracts: [violated] }),
        attemptRecord({ attempt: 2, contracts: [result("shape")] }),
      ],
    }),
    stepRecord("lint", {
      attempts: [
        attemptRecord({ contracts: [result("style", { verdict: "fail", onFailure: "warn", violations: [{ message: "untidy" }] })] }),
      ],
    }),
    stepRecord("old", { attempts: [], reusedFrom: { run: "77aa", attempt: 1 } }),
    stepRecord("tests", {
      status: "failed",
      dependencies: ["survey"],
      failure: { reason: "adapter-exit", exitCode: 3, tail: "boom \u001b[31mred" },
      attempts: [attemptRecord({ status: "failed", failure: { reason: "adapter-exit", exitCode: 3, tail: "boom \u001b[31mred" } })],
    }),
    stepRecord("review", { status: "skipped", because: "`tests` failed", attempts: [] }),
  ],
});

describe("a summary", () => {
  test("of a run that passed says what it made and where that lies", () => {
    expect(renderSummary(runRecord(), options)).toBe(`
✓ demo passed in 12s run 3f9a
  1 passed
  passed: survey

artifacts
  survey  5B         .wave/state/blobs/sha256/${surveyHex.slice(0, 2)}/${surveyHex.slice(2)}
`);
  });

  test("of a run that failed says what, why, and the exact command to go on", () => {
    expect(renderSummary(failedRun, options)).toBe(`
✗ demo failed in 12s run 3f9a
  3 passed (1 reused), 1 failed, 1 skipped
  passed: survey, lint, old

↻ survey passed at attempt 2
  attempt 1: contract \`shape\` failed: 1 violation

✗ tests failed
  the command exited with 3
    the end of its output:
      │ boom red

↷ review skipped: \`tests\` failed

warning: lint: contract \`style\` failed: 1 violation (only a warning: on_failure is warn)
    untidy

artifacts
  survey  5B         .wave/state/blobs/sha256/${surveyHex.slice(0, 2)}/${surveyHex.slice(2)}

to go on: wave resume 3f9a -f examples/x/wave.yaml
`);
  });

  test("of a run that was cancelled, or that state stopped, says so too", () => {
    const cancelled = runRecord({
      status: "cancelled",
      failure: { reason: "cancelled", by: "SIGINT" },
      steps: [stepRecord("a", { status: "cancelled", failure: { reason: "cancelled", by: "SIGINT" } })],
    });
    expect(renderSummary(cancelled, options)).toBe(
      "\n⊘ demo cancelled in 12s run 3f9a\n  1 cancelled\n\n⊘ a cancelled\n\nto go on: wave resume 3f9a -f examples/x/wave.yaml\n",
    );
    const full = runRecord({
      status: "failed",
      failure: { reason: "state-unwritable", path: ".wave/state", code: "ENOSPC", detail: "no space" },
      steps: [],
    });
    expect(renderSummary(full, options)).toContain(
      "cannot write state: .wave/state (ENOSPC)\n  no space\n  hint: the disk is full; free some space, then run `wave resume`\n",
    );
  });
});

describe("status", () => {
  test("lists runs as a table", () => {
    const counts = { pending: 0, running: 0, passed: 2, failed: 1, skipped: 0, cancelled: 0 };
    const startedAt = new Date(begin).toISOString();
    const runs = [
      { id: "3f9a", pipeline: "demo", version: "v2", status: "failed", startedAt, durationMs: 61_000, steps: counts, archived: false },
      { id: "0c", pipeline: "a-longer-name", status: "running", startedAt, steps: { ...counts, failed: 0, running: 1 }, archived: true },
    ] as const;
    const table = `RUN   PIPELINE       STATUS     STARTED               TOOK  STEPS
3f9a  demo@v2        ✗ failed   2026-01-31 12:00:00Z  1m1s  2 passed, 1 failed
0c    a-longer-name  ▶ running  2026-01-31 12:00:00Z        2 passed, 1 running (archived)
`;
    expect(renderRuns(runs, { color: false })).toBe(table);
    expect(renderRuns(runs, { color: true }).replace(terminalCodes, "")).toBe(table);
    expect(renderRuns([], { color: false })).toBe("no runs yet: `wave run` starts one\n");
  });

  test("shows one run with steps, attempts, verdicts and artifacts with their digests", () => {
    expect(renderRun(failedRun, { color: false })).toBe(`✗ demo failed run 3f9a
  started 2026-01-31 12:00:00Z, took 12s
  run 3f9a failed
  ✓ survey passed worker
    ✗ attempt 1 failed 1.2s command
      ✗ contract \`shape\` failed: 1 violation 5ms
        output/r.json:2:8 /a: found \`1\`, expected >= 2
    ✓ attempt 2 passed 1.2s command
      ✓ contract \`shape\` passed 5ms
    survey                5B         sha256:${surveyHex}
  ✓ lint passed worker
    ✓ attempt 1 passed 1.2s command
      ✗ contract \`style\` failed: 1 violation (only a warning: on_failure is warn) 5ms
        untidy
  ✓ old passed reused from run 77aa, attempt 1 worker
  ✗ tests failed worker after survey
    ✗ attempt 1 failed 1.2s command
      the command exited with 3
      the end of its output:
        │ boom red
  ↷ review skipped (\`tests\` failed) worker
to go on: wave resume 3f9a
`);
  });

  test.each([
    ["interrupted", "the process that ran it died; to go on: wave resume 3f9a -f a.yaml"],
    ["running", "process 42 on box is at work"],
  ] as const)("a run that is %s says what that means", (status, line) => {
    expect(
      renderRun(runRecord({ status, steps: [] }), { color: false, resume: "wave resume 3f9a -f a.yaml" })
        .split("\n")
        .at(-2),
    ).toBe(line);
  });
});
