/** Workflow commands that a runner finds in Wave's log, written in pieces. */
import { describe, expect, it, test } from "vitest";
import { nextRunnerText, withoutRunnerCommands } from "../../../src/text/runner-text.ts";
import { commandsIn } from "../../rig/hostile-text.ts";
import fc from "../../rig/property.ts";

test("the rig finds exactly the commands that a runner executes", () => {
  const obeyed = [
    "::error::x",
    "  ::error::x",
    "\u3000::error::x",
    "a\r::error::x",
    "a ##[error]x",
    "##[error]",
    "\u200b::error::x",
    "#\u200b#[error]x",
  ];
  for (const line of obeyed) expect([line, commandsIn(line).length]).toEqual([line, 1]);
  const ignored = ["a ::error::x", ": :error::x", "## [error]x", "::nothing::x", "::error:x", "##[nothing]x"];
  for (const line of ignored) expect([line, commandsIn(line).length]).toEqual([line, 0]);
});

describe("withoutRunnerCommands", () => {
  test.each([
    ["::error::x", ": :error::x"],
    ["one\n  ::error::x", "one\n  : :error::x"],
    ["one\r::error::x", "one\r: :error::x"],
    ["\u2028::error::x", "\u2028: :error::x"],
    ["a ::error::x", "a ::error::x"],
    ["std::string", "std::string"],
    ["a ##[add-mask]x", "a ## [add-mask]x"],
    ["a #\u200b#[add-mask]x", "a #\u200b# [add-mask]x"],
    ["## [done]", "## [done]"],
  ])("writes %j as %j", (text, shown) => {
    expect(withoutRunnerCommands(text)).toBe(shown);
  });
});

const signs = [
  "::",
  ":",
  "#",
  "##",
  "[",
  "##[",
  "]",
  "error",
  "add-mask",
  " ",
  "\n",
  "\r",
  "\t",
  "\u200b",
  "\ufe0f",
  "\u2028",
  "\u00a0",
  "\0",
  "x",
];
const pieces = fc.array(
  fc.record({ stream: fc.nat(1), text: fc.array(fc.constantFrom(...signs), { maxLength: 6 }).map((parts) => parts.join("")) }),
);

it("takes linear time for a text full of possible command starts", () => {
  const once = (text: string) => {
    const start = performance.now();
    withoutRunnerCommands(text);
    nextRunnerText([{ text: ":" }], text);
    return performance.now() - start;
  };
  // Ten to fifty milliseconds; with a second way to match, it would not end.
  for (const unit of ["\t", "\u0000 ", "#\ufe0f", "#", ":\n", "\u2028"]) {
    const text = `${unit.repeat(100_000)}x`;
    expect(Math.min(once(text), once(text), once(text))).toBeLessThan(2000);
  }
});

describe("pieces of a stream", () => {
  it("form no command on their own stream or where a shell joins two streams", () => {
    fc.assert(
      fc.property(pieces, (written) => {
        const joined = { text: "" };
        const ends = [{ text: "" }, { text: "" }];
        const logs = ["", ""];
        let both = "";
        for (const { stream, text } of written) {
          const shown = nextRunnerText([ends[stream] ?? joined, joined], text);
          logs[stream] += shown;
          both += shown;
        }
        expect([...logs, both].flatMap(commandsIn)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it("form no command over three pieces", () => {
    const end = { text: "" };
    const log = ["#", "#", "[error]x", "\n:", ":error::x"].map((text) => nextRunnerText([end], text)).join("");
    expect(commandsIn(log)).toEqual([]);
  });
});
