import { describe, expect, test } from "vitest";
import { describeContract, describeFailure, describeViolation } from "../../../src/core/describe.ts";
import type { Failure, FailureReason, Violation } from "../../../src/core/failure.ts";
import { result } from "../../rig/run-events.ts";

const origin = { file: "wave.yaml", range: { start: { line: 4, column: 2 }, end: { line: 4, column: 3 } } };
const violation: Violation = { message: "the key `x` is missing", pointer: "/a", location: { file: "output/r.json", line: 3, column: 5 } };

/** One of each reason, so that a new reason does not compile without standing here. */
const failures: { readonly [R in FailureReason]: Extract<Failure, { reason: R }> } = {
  usage: { reason: "usage", message: "no wave.yaml in /p", hint: "name one with -f" },
  "manifest-invalid": {
    reason: "manifest-invalid",
    diagnostics: [
      { code: "W403", severity: "warning", message: "idle", origin },
      { code: "W201", severity: "error", message: "the key `a` is unknown here", origin },
    ],
  },
  "file-unreadable": { reason: "file-unreadable", path: "a.yaml", code: "EACCES", detail: "permission denied" },
  "adapter-missing": {
    reason: "adapter-missing",
    step: "build",
    persona: "craftsman",
    detail: "no adapter is chosen for it",
    hint: "pass --adapter",
  },
  "git-outdated": { reason: "git-outdated", version: "2.25.1", oldest: "2.30" },
  "permission-unenforceable": { reason: "permission-unenforceable", rules: [{ step: "build", rule: "network_access:*" }] },
  "owner-unsupported": { reason: "owner-unsupported", detail: "`f.txt` is not of your user" },
  "state-locked": { reason: "state-locked", path: ".wave/state/lock", holder: "process 42 on box" },
  "state-unreadable": { reason: "state-unreadable", path: ".wave/state", detail: "permission denied" },
  "state-unwritable": { reason: "state-unwritable", path: ".wave/state", code: "EROFS", detail: "read-only file system" },
  "state-damaged": { reason: "state-damaged", path: "j.jsonl", line: 7, detail: "its hash differs" },
  "run-not-found": { reason: "run-not-found", selector: "3f", candidates: ["3f9a", "3f00"] },
  "run-mismatch": { reason: "run-mismatch", run: "3f9a", what: "wave.yaml", theirs: "sha256:aa", ours: "sha256:bb" },
  "run-active": { reason: "run-active", run: "3f9a", pid: 42, host: "box" },
  "run-complete": { reason: "run-complete", run: "3f9a" },
  "spawn-failed": { reason: "spawn-failed", command: "nope", code: "ENOENT", detail: "no such file" },
  "adapter-exit": { reason: "adapter-exit", exitCode: 3, tail: "one\ntwo\n" },
  "adapter-crash": { reason: "adapter-crash", signal: "SIGKILL", tail: "" },
  timeout: { reason: "timeout", limitMs: 600_000, tail: "" },
  "memory-exceeded": { reason: "memory-exceeded", limitBytes: 1e9, peakBytes: 2e9 },
  "recording-missing": {
    reason: "recording-missing",
    step: "build",
    attempt: 2,
    detail: "recordings/build has 1 attempt",
    hint: "record it with `wave run --record recordings`",
  },
  "disk-exceeded": { reason: "disk-exceeded", limitBytes: 1e9, usedBytes: 2e9 },
  "write-denied": { reason: "write-denied", paths: ["src/a.ts"] },
  "changeset-refused": { reason: "changeset-refused", path: "big.bin", detail: "it has 2GB" },
  "merge-conflict": {
    reason: "merge-conflict",
    step: "join",
    conflicts: [
      { path: "a.txt", steps: ["left", "right"], detail: "both changed it", hunk: "<<<<<<< left\n1\n=======\n2\n>>>>>>> right\n" },
    ],
  },
  "project-changed": { reason: "project-changed", paths: ["a.txt"], hint: "put them back, then `wave resume`" },
  "empty-output": { reason: "empty-output", detail: "the answer is empty" },
  "agent-failed": { reason: "agent-failed", kind: "rate-limit", status: 429, detail: "slow down", tail: "" },
  "budget-exceeded": { reason: "budget-exceeded", what: "cost", limit: 0.5, used: 0.62 },
  "artifact-missing": { reason: "artifact-missing", artifacts: ["a", "b"], searched: ["output/a", "output/a.*"] },
  "artifact-ambiguous": { reason: "artifact-ambiguous", artifact: "a", matches: ["a.md", "a.json"] },
  "artifact-refused": { reason: "artifact-refused", artifact: "a", path: "../x", detail: "it leads out of the workspace" },
  "artifact-too-large": { reason: "artifact-too-large", artifact: "a", size: 2e9, limit: 1e9 },
  "secret-leaked": { reason: "secret-leaked", artifact: "a" },
  "input-unavailable": { reason: "input-unavailable", input: "a", from: "survey", detail: "its bytes are gone" },
  "contract-failed": {
    reason: "contract-failed",
    contracts: [result("ok"), result("shape", { verdict: "fail", violations: [violation] })],
  },
  "contract-error": { reason: "contract-error", contract: "shape", detail: "the schema is broken" },
  "contract-limit-exceeded": {
    reason: "contract-limit-exceeded",
    contract: "shape",
    limit: { what: "time", max: 10_000 },
  },
  "circuit-open": {
    reason: "circuit-open",
    contract: "shape",
    persona: "craftsman",
    failed: 6,
    window: 10,
    retryAt: "2026-01-31T12:10:00Z",
  },
  "workspace-failed": { reason: "workspace-failed", detail: "cannot make it", code: "ENOSPC" },
  cancelled: { reason: "cancelled", by: "SIGINT" },
  "dependency-open": { reason: "dependency-open", run: "3f9a", step: "deploy", dependency: "build" },
  "github-failed": { reason: "github-failed", doing: "write a check run", detail: "Resource not accessible by integration", status: 403 },
  "publish-refused": { reason: "publish-refused", artifact: "review", detail: "it is no JSON" },
  "run-failed": { reason: "run-failed", run: "3f9a", steps: ["build"] },
  "rolled-back": { reason: "rolled-back", to: "survey", steps: ["build", "tests"] },
};

test.each(Object.values(failures))("$reason has a one-line title that names nothing undefined", (failure) => {
  const { title, detail, hint } = describeFailure(failure);
  expect(title).toMatch(/^\S.*[^.]$/);
  expect([title, ...detail, hint ?? ""].join("\n")).not.toMatch(/undefined|NaN|\[object/);
});

test("the titles, so that their wording is decided and not only typed", () => {
  expect(Object.values(failures).map((failure) => describeFailure(failure).title)).toEqual([
    "no wave.yaml in /p",
    "the manifest has 1 error",
    "`a.yaml` cannot be read (EACCES)",
    "step `build` cannot run: no adapter is chosen for it",
    "git 2.25.1 is older than 2.30, the oldest version that Wave supports, so nothing was started",
    "1 permission cannot be enforced here, so nothing was started",
    "steps of root cannot use this project's files in the sandbox, so nothing was started",
    "state is locked by process 42 on box",
    "state cannot be read: .wave/state",
    "state cannot be written: .wave/state (EROFS)",
    "state is damaged: j.jsonl:7",
    "several runs match `3f`",
    "run 3f9a cannot be resumed here: its `wave.yaml` differs from this job's",
    "run 3f9a is being executed by process 42 on box",
    "run 3f9a passed already",
    "`nope` could not be started (ENOENT)",
    "the command exited with 3",
    "the command was killed by SIGKILL",
    "the attempt took longer than 10m",
    "the attempt took 2GB of memory, more than the limit of 1GB",
    "attempt 2 of step `build` has no recording",
    "the attempt filled 2GB of disk, more than the limit of 1GB",
    "the attempt changed 1 file that it may not write, so none of its changes were kept",
    "the change to `big.bin` cannot be kept",
    "step `join` builds on changes that do not go together",
    "1 file of the project changed meanwhile, so nothing was written",
    "the attempt ended well but did no work",
    "the model takes no more requests for now (HTTP 429)",
    "the attempt used $0.62, more than its budget of $0.50",
    "artifacts `a`, `b` were not made",
    "artifact `a` could be any of 2 files",
    "artifact `a` was refused: ../x",
    "artifact `a` has 2GB, more than the limit of 1GB",
    "`a` contains a secret, so nothing of the attempt was kept",
    "input `a` from step `survey` is not there",
    "contract `shape` failed: 1 violation",
    "contract `shape` could not be evaluated",
    "contract `shape` could not be evaluated within its limits",
    "contract `shape` failed too often with persona `craftsman`: 6 of the last 10 attempts",
    "the workspace could not be made or used (ENOSPC)",
    "cancelled by SIGINT",
    "step `deploy` waits for `build`, which has not passed in run 3f9a",
    "GitHub did not let wave write a check run (403)",
    "artifact `review` cannot be published",
    "run 3f9a failed",
    "it was rolled back to step `survey`",
  ]);
});

describe("details", () => {
  test("of diagnostics name file, line, column and code, errors only", () => {
    expect(describeFailure(failures["manifest-invalid"]).detail).toEqual(["wave.yaml:4:2: the key `a` is unknown here (W201)"]);
  });

  test("end with what the child printed, and say nothing where it printed nothing", () => {
    expect(describeFailure(failures["adapter-exit"]).detail).toEqual(["the end of its output:", "  one", "  two"]);
    expect(describeFailure(failures["adapter-crash"]).detail).toEqual([]);
  });

  test("of several contracts stand under their titles", () => {
    const contracts = [
      result("shape", { verdict: "fail", violations: [violation] }),
      result("tests", { verdict: "fail", violations: [{ message: "`t` exited with 1" }], tail: "1 failed" }),
    ];
    expect(describeFailure({ reason: "contract-failed", contracts })).toEqual({
      title: "2 contracts failed",
      detail: [
        "contract `shape` failed: 1 violation",
        "  output/r.json:3:5 /a: the key `x` is missing",
        "contract `tests` failed: 1 violation",
        "  `t` exited with 1",
        "  the end of its output:",
        "    1 failed",
      ],
    });
  });

  test("hints fit the errno", () => {
    const hint = (code: string) => describeFailure({ ...failures["state-unwritable"], code }).hint;
    expect([hint("ENOSPC"), hint("EROFS"), hint("EACCES")]).toEqual([
      "the disk is full; make room, then `wave resume`",
      "the file system is read-only; set `state.location` to a place that can be written",
      "check that you may write there, or set `state.location` to another place",
    ]);
    const atStart = (code: string) => describeFailure({ ...failures["spawn-failed"], code }).hint;
    expect([atStart("ENOENT"), atStart("EMFILE"), atStart("EIO")]).toEqual([
      "check that the program is installed and on PATH, and the spelling of `command`",
      "this machine is out of processes, open files or memory; run fewer steps at once (`--concurrency`) or raise its limits",
      "check the persona's `command`",
    ]);
  });
});

describe("contracts", () => {
  test("list twenty violations and count the rest", () => {
    const violations = Array.from({ length: 25 }, (_, index): Violation => ({ message: `no ${index}` }));
    const { detail } = describeContract(result("shape", { verdict: "fail", violations }));
    expect([detail.length, detail[19], detail[20]]).toEqual([21, "no 19", "and 5 more"]);
  });

  test("that only warn say so, and those that passed keep their output to themselves", () => {
    expect(describeContract(result("t", { verdict: "error", onFailure: "warn" })).title).toBe(
      "contract `t` could not be evaluated (only a warning: on_failure is warn)",
    );
    expect(describeContract(result("t", { tail: "all fine" }))).toEqual({ title: "contract `t` passed", detail: [] });
  });
});

test("a violation is told with as much of its place as is known", () => {
  expect(
    [
      violation,
      { message: "m", pointer: "" },
      { message: "m", pointer: "/a" },
      { message: "m", location: { file: "f", line: 1, column: 2 } },
    ].map(describeViolation),
  ).toEqual(["output/r.json:3:5 /a: the key `x` is missing", "m", "/a: m", "f:1:2: m"]);
});
