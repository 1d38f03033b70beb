import { describe, expect, test } from "vitest";
import { describeContract, describeViolation } from "../../../src/core/describe-contract.ts";
import type { Failure, FailureReason, Violation } from "../../../src/core/failure.ts";
import { describeFailure, exitCodeOf } from "../../../src/core/failures.ts";
import { result } from "../../rig/run-events.ts";

const origin = { file: "wave.yaml", range: { start: { line: 4, column: 2 }, end: { line: 4, column: 3 } } };
const violation: Violation = { message: "the key `x` is missing", pointer: "/a", location: { file: "output/r.json", line: 3, column: 5 } };

/** One failure per reason. A reason without one does not compile. */
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
  "owner-unsupported": { reason: "owner-unsupported", detail: "`f.txt` does not belong to your user" },
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
  "artifact-refused": { reason: "artifact-refused", artifact: "a", path: "../x", detail: "it is outside the workspace" },
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

const titles: Readonly<Record<FailureReason, string>> = {
  usage: "no wave.yaml in /p",
  "manifest-invalid": "the manifest has 1 error",
  "file-unreadable": "cannot read `a.yaml` (EACCES)",
  "adapter-missing": "step `build` cannot run: no adapter is chosen for it",
  "git-outdated": "nothing was started: git 2.25.1 is older than 2.30, the oldest supported version",
  "permission-unenforceable": "nothing was started: 1 permission cannot be enforced here",
  "owner-unsupported": "nothing was started: the sandbox has no access to project files that root does not own",
  "state-locked": "state is locked by process 42 on box",
  "state-unreadable": "cannot read state: .wave/state",
  "state-unwritable": "cannot write state: .wave/state (EROFS)",
  "state-damaged": "state is damaged: j.jsonl:7",
  "run-not-found": "several runs match `3f`",
  "run-mismatch": "cannot resume run 3f9a here: its `wave.yaml` differs from this job's",
  "run-active": "process 42 on box is executing run 3f9a",
  "run-complete": "run 3f9a has already passed",
  "spawn-failed": "cannot start `nope` (ENOENT)",
  "adapter-exit": "the command exited with 3",
  "adapter-crash": "the command was killed by SIGKILL",
  timeout: "the attempt took longer than 10m",
  "memory-exceeded": "the attempt used 2GB of memory, more than the limit of 1GB",
  "disk-exceeded": "the attempt used 2GB of disk space, more than the limit of 1GB",
  "recording-missing": "attempt 2 of step `build` has no recording",
  "write-denied": "none of the attempt's changes were kept: it may not write 1 file that it changed",
  "changeset-refused": "cannot keep the change to `big.bin`",
  "merge-conflict": "step `join` depends on conflicting changes",
  "project-changed": "nothing was written: 1 file of the project changed in the meantime",
  "empty-output": "the attempt exited successfully but produced nothing",
  "agent-failed": "the model API is rate limiting (HTTP 429)",
  "budget-exceeded": "the attempt used $0.62, more than its budget of $0.50",
  "artifact-missing": "artifacts `a`, `b` were not created",
  "artifact-ambiguous": "2 files match artifact `a`",
  "artifact-refused": "artifact `a` was refused: ../x",
  "artifact-too-large": "artifact `a` has 2GB, more than the limit of 1GB",
  "secret-leaked": "the attempt was discarded: `a` contains a secret",
  "input-unavailable": "input `a` from step `survey` is missing",
  "contract-failed": "contract `shape` failed: 1 violation",
  "contract-error": "contract `shape` could not be evaluated",
  "contract-limit-exceeded": "contract `shape` exceeded a limit of its evaluation",
  "circuit-open": "the circuit of contract `shape` is open: 6 of the last 10 attempts with persona `craftsman` failed",
  "workspace-failed": "the workspace could not be created or used (ENOSPC)",
  cancelled: "cancelled by SIGINT",
  "dependency-open": "step `deploy` depends on `build`, which has not passed in run 3f9a",
  "github-failed": "wave could not write a check run (HTTP 403 from GitHub)",
  "publish-refused": "cannot publish artifact `review`",
  "run-failed": "run 3f9a failed",
  "rolled-back": "the run was rolled back to step `survey`",
};

test.each(Object.values(failures))("$reason is described by a title on one line, without undefined parts", (failure) => {
  const { title, detail, hint } = describeFailure(failure);
  expect(title).toBe(titles[failure.reason]);
  expect(title).toMatch(/^\S.*[^.]$/);
  expect([title, ...detail, hint ?? ""].join("\n")).not.toMatch(/undefined|NaN|\[object/);
});

test("exit codes distinguish wrong input, an unready environment and a cancellation from a failed run", () => {
  const reasons = Object.values(failures);
  const exiting = (code: number) => reasons.filter((failure) => exitCodeOf(failure) === code).map(({ reason }) => reason);
  expect(exiting(2).sort()).toEqual(["manifest-invalid", "run-complete", "run-mismatch", "run-not-found", "usage"]);
  expect(exiting(4).sort()).toEqual([
    "adapter-missing",
    "file-unreadable",
    "git-outdated",
    "owner-unsupported",
    "permission-unenforceable",
    "run-active",
    "state-damaged",
    "state-locked",
    "state-unreadable",
    "state-unwritable",
  ]);
  expect(exiting(130)).toEqual(["cancelled"]);
  expect(exiting(1)).toHaveLength(reasons.length - 16);
});

test("a budget that is exceeded by less than its text shows is not described by two equal amounts", () => {
  const budget = (what: "turns" | "tokens" | "cost" | "time", limit: number, used: number) =>
    describeFailure({ reason: "budget-exceeded", what, limit, used }).title;
  expect(budget("turns", 1, 2)).toBe("the attempt used 2 turns, more than its budget of 1 turn");
  expect(budget("tokens", 1000, 1234)).toBe("the attempt used 1,234 tokens, more than its budget of 1,000 tokens");
  expect(budget("cost", 1, 1.001)).toBe("the attempt used slightly more than its budget of $1.00");
  expect(budget("time", 60_000, 60_100)).toBe("the attempt took slightly more than its budget of 1m");
});

test("sizes of a limit that was exceeded share a unit and differ", () => {
  const memory = (peakBytes: number, limitBytes: number) => describeFailure({ reason: "memory-exceeded", peakBytes, limitBytes }).title;
  expect(memory(100_003_840, 100e6)).toBe("the attempt used 100.004MB of memory, more than the limit of 100MB");
  expect(memory(100e6, 100e6)).toBe("the attempt reached its memory limit of 100MB");
  expect(describeFailure({ reason: "artifact-too-large", artifact: "a", size: 50 * 1024 ** 2, limit: 10e6 }).title).toBe(
    "artifact `a` has 52.4MB, more than the limit of 10MB",
  );
});

test("HTTP 404 of a model API names the model and the key's access to it", () => {
  const { title, hint } = describeFailure({ reason: "agent-failed", kind: "config", status: 404, detail: "model: x-9", tail: "" });
  expect(title).toBe("the model does not exist, or the key may not use it (HTTP 404)");
  expect(hint).toContain("`model`");
});

describe("details", () => {
  test("of an invalid manifest list its errors with file, line, column and code, and leave out warnings", () => {
    expect(describeFailure(failures["manifest-invalid"]).detail).toEqual(["wave.yaml:4:2: the key `a` is unknown here (W201)"]);
  });

  test("end with the output of the child, if it printed any", () => {
    expect(describeFailure(failures["adapter-exit"]).detail).toEqual(["the end of its output:", "  one", "  two"]);
    expect(describeFailure(failures["adapter-crash"]).detail).toEqual([]);
  });

  test("of several contracts are indented below the title of each", () => {
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

  test("are followed by a hint that depends on the errno", () => {
    const hint = (code: string) => describeFailure({ ...failures["state-unwritable"], code }).hint;
    expect([hint("ENOSPC"), hint("EROFS"), hint("EACCES")]).toEqual([
      "the disk is full; free some space, then run `wave resume`",
      "the file system is read-only; set `state.location` to a writable directory",
      "check the permissions of the directory, or set `state.location` to another one",
    ]);
    const atStart = (code: string) => describeFailure({ ...failures["spawn-failed"], code }).hint;
    expect([atStart("ENOENT"), atStart("EMFILE"), atStart("EIO")]).toEqual([
      "check the spelling of `command`, and that the program is installed and on PATH",
      "the machine is out of processes, open files or memory; run fewer steps at once (`--concurrency`) or raise its limits",
      "check the persona's `command`",
    ]);
  });
});

describe("contracts", () => {
  test("are described by twenty violations and the number of the rest", () => {
    const violations = Array.from({ length: 25 }, (_, index): Violation => ({ message: `no ${index}` }));
    const { detail } = describeContract(result("shape", { verdict: "fail", violations }));
    expect([detail.length, detail[19], detail[20]]).toEqual([21, "no 19", "and 5 more"]);
  });

  test("that only warn are marked, and those that passed show no output", () => {
    expect(describeContract(result("t", { verdict: "error", onFailure: "warn" })).title).toBe(
      "contract `t` could not be evaluated (only a warning: on_failure is warn)",
    );
    expect(describeContract(result("t", { tail: "all fine" }))).toEqual({ title: "contract `t` passed", detail: [] });
  });
});

test("a violation is prefixed with the known parts of its place", () => {
  expect(
    [
      violation,
      { message: "m", pointer: "" },
      { message: "m", pointer: "/a" },
      { message: "m", location: { file: "f", line: 1, column: 2 } },
    ].map(describeViolation),
  ).toEqual(["output/r.json:3:5 /a: the key `x` is missing", "m", "/a: m", "f:1:2: m"]);
});
