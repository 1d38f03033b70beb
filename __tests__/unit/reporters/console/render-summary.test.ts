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
const command = (args: readonly string[]) => ["wave", ...args, "-f x.yaml"].join(" ");
const options = { color: false, resume: "wave resume 3f9a -f x.yaml", command };

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
  test("of a run that passed lists its artifacts, each with the command that prints it", () => {
    expect(renderSummary(runRecord(), options)).toBe(`
✓ demo passed in 12s run 3f9a
  1 passed: survey

artifacts
  survey  5B         wave artifacts 3f9a survey survey -f x.yaml
`);
  });

  test("of a run that failed names the steps, the causes and the command that resumes it", () => {
    expect(renderSummary(failedRun, options)).toBe(`
✗ demo failed in 12s run 3f9a
  3 passed (1 reused): survey, lint, old
  1 failed, 1 skipped

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
  survey  5B         wave artifacts 3f9a survey survey -f x.yaml

to resume: wave resume 3f9a -f x.yaml
`);
  });

  test("of a run that was cancelled, or that could not write state, names the cause", () => {
    const cancelled = runRecord({
      status: "cancelled",
      failure: { reason: "cancelled", by: "SIGINT" },
      steps: [stepRecord("a", { status: "cancelled", failure: { reason: "cancelled", by: "SIGINT" } })],
    });
    expect(renderSummary(cancelled, options)).toBe(
      "\n⊘ demo cancelled in 12s run 3f9a\n  1 cancelled\n\n⊘ a cancelled\n\nto resume: wave resume 3f9a -f x.yaml\n",
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

describe("a failure in the summary", () => {
  test("is its title and the command of its log if it was printed in full before", () => {
    const summary = renderSummary(failedRun, { ...options, printedFailures: new Set(["tests"]) });
    expect(summary).toContain("✗ tests failed\n  the command exited with 3\n  details above; log: wave logs tests --run 3f9a -f x.yaml\n");
    expect(summary).not.toContain("boom");
  });

  test("of a step whose failure was not printed is in full", () => {
    expect(renderSummary(failedRun, { ...options, printedFailures: new Set(["survey"]) })).toContain("│ boom red");
  });
});

describe("status of a run that was rolled back", () => {
  const changes = { digest: digest("changes"), added: 1, changed: 0, deleted: 0 };
  const undone = attemptRecord({ rolledBack: true });

  test("is `rolled back` for the run, with the command that executes its steps again", () => {
    const run = runRecord({ changes, steps: [stepRecord("survey", { status: "pending", attempts: [undone] })] });
    const lines = renderRun(run, { color: false, command }).split("\n");
    expect(lines[0]).toBe("⊘ demo rolled back run 3f9a");
    expect(lines).toContain("    ✓ attempt 1 passed, rolled back 1.2s command");
    expect(lines.at(-2)).toBe("to execute its steps again: wave resume 3f9a -f x.yaml");
  });

  test("is `rolled back` in the list, with the command for the newest such run", () => {
    const steps = { pending: 1, running: 0, passed: 0, failed: 0, skipped: 0, cancelled: 0 };
    const run = { pipeline: "demo", status: "passed", startedAt: new Date(begin).toISOString(), steps, archived: false } as const;
    const runs = [
      { ...run, id: "c" },
      { ...run, id: "b", rolledBack: true as const },
      { ...run, id: "a", rolledBack: true as const },
    ];
    const lines = renderRuns(runs, { color: false, command }).split("\n");
    expect(lines.slice(1, 4).map((line) => line.split(/ {2,}/)[2])).toEqual(["✓ passed", "⊘ rolled back", "⊘ rolled back"]);
    expect(lines.slice(4)).toEqual(["to execute the steps of run b again: wave resume b -f x.yaml", ""]);
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

  test("shows one run with steps, attempts, verdicts and the commands that print artifacts", () => {
    expect(renderRun(failedRun, { color: false })).toBe(`✗ demo failed run 3f9a
  started 2026-01-31 12:00:00Z, took 12s
  run 3f9a failed
  ✓ survey passed worker
    ✗ attempt 1 failed 1.2s command
      ✗ contract \`shape\` failed: 1 violation 5ms
        output/r.json:2:8 /a: found \`1\`, expected >= 2
    ✓ attempt 2 passed 1.2s command
      ✓ contract \`shape\` passed 5ms
    survey                5B         wave artifacts 3f9a survey survey
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
to resume: wave resume 3f9a
`);
  });

  test.each([
    ["interrupted", "the process that executed it died; to resume: wave resume 3f9a -f x.yaml"],
    ["running", "process 42 on box executes it"],
  ] as const)("explains a run that is %s, and the next step", (status, line) => {
    expect(
      renderRun(runRecord({ status, steps: [] }), { color: false, command })
        .split("\n")
        .at(-2),
    ).toBe(line);
  });
});
