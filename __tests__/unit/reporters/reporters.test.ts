import { describe, expect, test } from "vitest";
import type { Failure } from "../../../src/core/failure.ts";
import type { Reporter } from "../../../src/core/ports.ts";
import { noUsage } from "../../../src/core/usage.ts";
import { liveReporter } from "../../../src/reporters/console/live.ts";
import { plainReporter } from "../../../src/reporters/console/plain.ts";
import { multiplexReporter } from "../../../src/reporters/multiplex.ts";
import { ndjsonReporter } from "../../../src/reporters/ndjson.ts";
import { workflowCommand } from "../../../src/text/workflow-command.ts";
import { pipeline, step } from "../../rig/plan-fixtures.ts";
import { attemptPassed, attemptStarted, begin, events, type Moment, result, started } from "../../rig/run-events.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told besides the text
const terminalCodes = /\u001b\[[?0-9;]*[a-zA-Z]/g;

const exited: Failure = { reason: "adapter-exit", exitCode: 3, tail: "" };

function failed(name: string, failure: Failure, retry?: { attempt: number; delayMs: number }): Moment {
  return [
    600,
    { type: "attempt-failed", step: name, attempt: 1, durationMs: 600, failure, artifacts: [], ...(retry === undefined ? {} : { retry }) },
  ];
}

/** What a plain reporter writes: moments are events, texts are what attempt 1 of step `a` prints. */
function plain(options: { groups?: boolean; verbose?: boolean; color?: boolean }, ...happenings: readonly (Moment | string)[]): string {
  const written: string[] = [];
  const reporter = plainReporter({ write: (text) => void written.push(text), color: false, groups: false, verbose: false, ...options });
  for (const happening of happenings) {
    if (typeof happening === "string") reporter.onOutput?.({ step: "a", attempt: 1, text: happening });
    else for (const event of events(happening)) reporter.onEvent(event);
  }
  return written.join("");
}

describe("plain lines", () => {
  test("tell a run from its start to its end", () => {
    const shown = plain(
      {},
      [0, started({ a: [], b: ["a"], c: ["b"] })],
      [0, attemptStarted("a")],
      [
        500,
        { type: "contract-checked", step: "a", attempt: 1, result: result("shape", { verdict: "fail", violations: [{ message: "no" }] }) },
      ],
      failed(
        "a",
        {
          reason: "contract-failed",
          contracts: [
            result("shape", {
              verdict: "fail",
              violations: [{ message: "the key `x` is missing", pointer: "/y", location: { file: "output/a.json", line: 3, column: 5 } }],
            }),
          ],
        },
        { attempt: 2, delayMs: 2000 },
      ),
      [700, attemptStarted("a", 2)],
      [1900, attemptPassed("a", 2)],
      [1900, { type: "step-finished", step: "a", status: "passed", attempt: 2 }],
      failed("b", { reason: "timeout", limitMs: 600, tail: "one\ntwo" }),
      [1900, { type: "step-finished", step: "b", status: "failed", attempt: 1, failure: { reason: "timeout", limitMs: 600, tail: "" } }],
      [1900, { type: "step-finished", step: "c", status: "skipped", because: "`b` failed" }],
      [2000, { type: "run-finished", status: "failed", durationMs: 2000 }],
    );
    expect(shown).toBe(`demo run 3f9a · 3 steps
▶ a started worker
  ✗ a: contract \`shape\` failed: 1 violation
✗ a failed 600ms
    contract \`shape\` failed: 1 violation
    output/a.json:3:5 /y: the key \`x\` is missing
↻ a tries again (attempt 2) in 2s
▶ a started worker, attempt 2
✓ a passed at attempt 2 1.2s
✗ b failed 600ms
    the attempt took longer than 600ms
    the end of its output:
      │ one
      │ two
    hint: raise \`resources.timeout\` of the step or persona if the work needs more time
↷ c skipped: \`b\` failed
`);
  });

  test("show the end of a failed attempt's output where the failure does not, and nothing of one that passed", () => {
    expect(plain({}, "quiet\n", [0, attemptPassed("a")])).toBe("✓ a passed 1.2s\n");
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    const shown = plain({}, `${lines.join("\n")}\nhalf`, failed("a", exited)).split("\n");
    expect(shown.slice(0, 2)).toEqual(["✗ a failed 600ms", "    the command exited with 3"]);
    expect(shown.slice(2, -1)).toEqual([...lines.slice(-19), "half"].map((line) => `    │ ${line}`));
  });

  test("flow as children print when asked, whole lines at a time, without their escape sequences", () => {
    expect(plain({ verbose: true }, "on", "e\ntwo\u001b[2J\nth", "ree", [0, attemptPassed("a")])).toBe(
      "a │ one\na │ two\na │ three\n✓ a passed 1.2s\n",
    );
  });

  test("on GitHub, output stands in a group, and a child cannot give commands", () => {
    expect(plain({ groups: true }, "::error::fake\n  ::add-mask::x\n##[error]old\n", [0, attemptPassed("a")])).toBe(
      "::group::a: output of attempt 1\n│ ::error::fake\n│   ::add-mask::x\n│ ## [error]old\n::endgroup::\n✓ a passed 1.2s\n",
    );
    const told = plain({ groups: true }, [0, { type: "step-finished", step: "::stop", status: "skipped", because: "##[group]x" }]);
    expect(told).toBe("↷ ::stop skipped: ## [group]x\n");
  });

  test("a failure that no attempt told is told when the step ends", () => {
    expect(
      plain({}, [
        0,
        {
          type: "step-finished",
          step: "a",
          status: "failed",
          failure: { reason: "input-unavailable", input: "x", from: "b", detail: "its blob is gone" },
        },
      ]),
    ).toBe(
      "✗ a failed\n    input `x` from step `b` is missing\n    its blob is gone\n    hint: run step `b` again: `wave resume` does so when its artifacts are missing\n",
    );
  });

  test("the end of the run is left to the summary, except on GitHub, where reports are written first", () => {
    const ended: Moment = [2000, { type: "run-finished", status: "failed", durationMs: 2000 }];
    expect([plain({}, ended), plain({ groups: true }, ended)]).toEqual(["", "✗ run failed after 2s\n"]);
  });

  test("a failure with another reason than the last attempt's is printed too, and both are noted for the summary", () => {
    const printedFailures = new Set<string>();
    const written: string[] = [];
    const options = { color: false, groups: false, verbose: false, printedFailures };
    const reporter = plainReporter({ ...options, write: (text) => void written.push(text) });
    const open: Failure = {
      reason: "circuit-open",
      contract: "shape",
      persona: "worker",
      failed: 3,
      window: 5,
      retryAt: new Date(begin).toISOString(),
    };
    for (const event of events(
      failed("a", exited),
      [600, { type: "step-finished", step: "a", status: "failed", attempt: 1, failure: exited }],
      failed("b", exited),
      [600, { type: "step-finished", step: "b", status: "failed", failure: open }],
    ))
      reporter.onEvent(event);
    const ends = written.join("").match(/^✗ [ab] failed$/gm);
    expect([ends, [...printedFailures]]).toEqual([["✗ b failed"], ["a", "b"]]);
  });

  test("endless output takes bounded room", () => {
    const shown = plain({ groups: true }, ...Array.from({ length: 30 }, () => "x\n".repeat(1000)), [0, attemptPassed("a")]).split("\n");
    expect(shown.slice(0, 2)).toEqual([
      "::group::a: output of attempt 1",
      "│ ... 25000 earlier lines are not shown; `wave logs a` prints them",
    ]);
    expect(shown.length).toBe(5005);
  });
});

test("ndjson is every event, one line each, as it stands in the journal", () => {
  const written: string[] = [];
  const reporter = ndjsonReporter({ write: (text) => void written.push(text) });
  const all = events([0, started({ a: [] })], [0, attemptStarted("a")], [9, attemptPassed("a")]);
  for (const event of all) reporter.onEvent(event);
  expect(
    written
      .join("")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  ).toEqual(all);
  expect(written.join("").endsWith("\n")).toBe(true);
});

test("the live view ends with the last frame on the screen", async () => {
  const written: string[] = [];
  const steps = [step("a"), step("b", { dependencies: ["a"] })];
  const plan = {
    pipeline: pipeline(steps),
    steps: steps.map((one) => ({ step: one, dependents: [], weight: 1, work: { kind: "unknown", after: [] } as const, enforcement: [] })),
    sandbox: { available: true, network: true },
    criticalPath: [],
  };
  const live = await liveReporter(plan, {
    write: (text) => void written.push(text),
    color: false,
    columns: 60,
    rows: 20,
    now: () => begin,
  });
  const reporter = multiplexReporter([live], () => undefined);
  for (const event of events([0, started({ a: [], b: ["a"] })], [0, attemptStarted("a")])) reporter.onEvent(event);
  reporter.onOutput?.({ step: "a", attempt: 1, text: "at work\n" });
  reporter.onUsage?.({ step: "a", attempt: 1, usage: { ...noUsage, inputTokens: 7, costUsd: 0.25 } });
  await reporter.close();
  expect(written.join("").replace(terminalCodes, "").trimEnd().split("\n")).toEqual([
    "demo run 3f9a · 0ms · 7 tokens, $0.25",
    "⠋ a        0ms  7 tokens, $0.25  at work",
    "  ○ b      after a",
    "1 of 2 slots running · 1 pending",
  ]);
});

describe("several reporters", () => {
  const event = events([0, started({ a: [] })])[0];
  if (event === undefined) throw new Error("no event");

  function recording(name: string, breaks: Partial<Record<"event" | "output" | "close", boolean>> = {}) {
    const seen: string[] = [];
    const note = (what: "event" | "output" | "close") => {
      seen.push(what);
      if (breaks[what] === true) throw new Error(`${what} broke`);
    };
    const reporter: Reporter = { name, onEvent: () => note("event"), onOutput: () => note("output"), close: async () => note("close") };
    return { reporter, seen };
  }

  test("all see everything; one that breaks is warned about once, and the others go on", async () => {
    const warnings: string[] = [];
    const [good, bad, late] = [recording("good"), recording("bad", { event: true }), recording("late", { close: true })];
    const all = multiplexReporter([bad.reporter, good.reporter, late.reporter], (message) => void warnings.push(message));
    all.onEvent(event);
    all.onEvent(event);
    all.onOutput?.({ step: "a", attempt: 1, text: "x" });
    await all.close();
    expect([good.seen, bad.seen, late.seen]).toEqual([
      ["event", "event", "output", "close"],
      ["event"],
      ["event", "event", "output", "close"],
    ]);
    expect(warnings).toEqual([
      "reporter `bad` failed and receives no more events: event broke",
      "reporter `late` failed and receives no more events: close broke",
    ]);
  });
});

test("workflow commands are escaped as the runner reads them back", () => {
  expect(workflowCommand("error", { file: "a:b,c.ts", line: 3, col: undefined, title: "" }, "50%\r\nnext: ok")).toBe(
    "::error file=a%3Ab%2Cc.ts,line=3::50%25%0D%0Anext: ok",
  );
  expect(workflowCommand("endgroup", {}, "")).toBe("::endgroup::");
});
