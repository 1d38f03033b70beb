import { describe, expect, test } from "vitest";
import { partsOfRecording } from "../../../src/core/fingerprint-parts.ts";
import { attemptText, isRecordable, parseAttempt, type RecordedAttempt, recordedName } from "../../../src/core/recording.ts";
import { digest } from "../../rig/plan-fixtures.ts";
import fc from "../../rig/property.ts";

const attempt: RecordedAttempt = {
  ...{ step: "build", attempt: 2, adapter: "claude/2.1.330", model: "m", message: true },
  asked: { task: digest("t") },
  failure: { reason: "agent-failed", kind: "auth", detail: "no", status: 401, tail: "" },
  changes: [
    { path: "odd \udcff", mode: "deleted", before: "100755" },
    { path: "new", mode: "100644", before: "deleted" },
    { path: "again", mode: "100644" },
  ],
  output: [{ path: "x", mode: "100644" }],
};

describe("attempt.json", () => {
  test("is read back unchanged", () => {
    expect(parseAttempt(attemptText(attempt))).toEqual({ ok: true, value: attempt });
    const { failure: _, model: __, ...plain } = attempt;
    expect(parseAttempt(attemptText(plain))).toEqual({ ok: true, value: plain });
  });

  test.each([
    ["nothing", "", "it is not a JSON object"],
    ["another version", JSON.stringify({ ...attempt, v: 2 }), "`v` is not 1: it was recorded by another version of Wave"],
    ["a part that is no digest", attemptText({ ...attempt, asked: { task: "sha256:" as never } }), "`asked` must contain digests"],
    ["a mode that is none", attemptText({ ...attempt, changes: [{ path: "x", mode: "777" as never }] }), /^`changes` and `output` must be/],
    [
      "a mode before that is none",
      attemptText({ ...attempt, changes: [{ path: "x", mode: "100644", before: "777" as never }] }),
      /^`changes` and `output` must be/,
    ],
    [
      "a failure of a run",
      attemptText({ ...attempt, failure: { reason: "cancelled", by: "x" } as never }),
      /^`failure` is not a failure of an attempt/,
    ],
    [
      "a failure that lacks a member",
      attemptText({ ...attempt, failure: { reason: "timeout" } as never }),
      /^`failure` is not a failure of an attempt/,
    ],
    [
      "a failure of an unknown kind",
      attemptText({ ...attempt, failure: { ...attempt.failure, kind: "x" } as never }),
      /^`failure` is not a failure of an attempt/,
    ],
    [
      "a budget of nothing",
      attemptText({ ...attempt, failure: { reason: "budget-exceeded", what: "x", limit: 1, used: 2 } as never }),
      /^`failure`/,
    ],
  ])("is refused with %s", (_, text, said) => {
    expect(parseAttempt(text)).toEqual({ ok: false, error: typeof said === "string" ? said : expect.stringMatching(said) });
  });
});

describe("the name of a recorded file", () => {
  test.each([
    ["src/slug.mjs", "src/slug.mjs"],
    [".gitignore", "%2Egitignore"],
    ["a/../b", "a/%2E%2E/b"],
    ["con.", "con%2E"],
    ["a b\\c:d", "a%20b%5Cc%3Ad"],
    ["100%", "100%25"],
    ["ü\udcff", "%C3%BC%FF"],
  ])("of %j is %j", (path, name) => {
    expect(recordedName(path)).toBe(`${name}.recorded`);
  });

  test("is valid in every file system, and unique", () => {
    const segment = fc.string({ unit: "binary", minLength: 1, maxLength: 300 }).filter((text) => !/[/\0]/.test(text));
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.array(segment, { minLength: 1, maxLength: 3 }), (a, b) => {
        const [one, other] = [recordedName(a.join("/")), recordedName(b.join("/"))];
        for (const part of one.split("/")) expect(part).toMatch(/^(?!\.)[A-Za-z0-9._%-]{1,160}(?<!\.)$/);
        expect(one === other).toBe(a.join("/") === b.join("/"));
      }),
    );
  });
});

test("a recording is selected by the request, not by the adapter, the machine or the contracts", () => {
  const names = ["format", "task", "persona", "permissions", "env", "secrets", "artifacts", "changes", "input:x", "include"];
  const others = ["adapter", "model", "platform", "base", "replayed", "contract:c", "gate-file:f", "gate-tree"];
  const parts = Object.fromEntries([...names, ...others].map((name) => [name, digest(name)]));
  expect(Object.keys(partsOfRecording(parts))).toEqual(names);
});

test("cancellations and failures of the machine are not recorded", () => {
  expect(isRecordable({ reason: "cancelled", by: "SIGINT" })).toBe(false);
  expect(isRecordable({ reason: "workspace-failed", code: "ENOSPC", detail: "" })).toBe(false);
  expect(isRecordable({ reason: "empty-output", detail: "" })).toBe(true);
});
