/** Control sequences and hidden characters, and text that needs some of them. */
import { describe, expect, it, test } from "vitest";
import { withoutControls, withoutSequences } from "../../../src/text/control-characters.ts";
import { terminalText } from "../../../src/text/terminal-text.ts";
import { controlsIn, payloads } from "../../rig/hostile-text.ts";

describe("withoutControls", () => {
  test.each([
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]52;c;b3duZWQ=\u0007after", "after"],
    ["\u009d52;c;b3duZWQ=\u009cafter", "after"],
    ["\u001bPq\u001b\\after", "after"],
    ["\u001b]2;a title without an end", "2;a title without an end"],
    ["\u001b]2;title\nthe next line\u0007", "2;title\nthe next line\\x07"],
    ["\u001b\u001b[0m[31mx", "\\x1b[31mx"],
    ["a\tb\n", "a\tb\n"],
    ["a\rb\u0085c", "a\\x0db\\x85c"],
    ["gpj.\u202eexe", "gpj.\\u202eexe"],
    ["\u{e0041}", "\\u{e0041}"],
    ["ad\u200dmin ad\u200bmin ad\u00admin", "ad\\u200dmin ad\\u200bmin ad\\xadmin"],
  ])("shows %j as %j", (text, shown) => {
    expect(withoutControls(text)).toBe(shown);
  });

  test.each(["👩\u200d💻 👩🏽\u200d🚀 ❤\ufe0f\u200d🔥", "می\u200cخواهم", "क्\u200dष", "葛\u{e0100}", "שלום עולם", "e\u0301 ñ ß 日本語"])(
    "keeps %s unchanged",
    (text) => {
      expect(withoutControls(text)).toBe(text);
    },
  );

  it("takes linear time for a text full of possible sequence starts", () => {
    const once = (text: string) => {
      const start = performance.now();
      withoutControls(text);
      withoutSequences(text);
      return performance.now() - start;
    };
    // About ten milliseconds; quadratic time would take minutes.
    const text = "\u009d\u001b]\u001b[\u001bP".repeat(200_000);
    expect(Math.min(once(text), once(text), once(text))).toBeLessThan(5000);
  });
});

describe("terminalText", () => {
  it("keeps only Wave's own colours, and only with colour", () => {
    const text = "\u001b[1m\u001b[32m✓\u001b[39m\u001b[22m \u001b[8mhidden\u001b[0m \u001b[41mred\u001b[30;40m";
    expect(terminalText(text, { color: true })).toBe("\u001b[1m\u001b[32m✓\u001b[39m\u001b[22m hidden\u001b[0m red");
    expect(terminalText(text, { color: false })).toBe("✓ hidden red");
  });

  it("ends a line at a carriage return, so that no text is overwritten", () => {
    expect(terminalText("one\r\ntwo\rthree", { color: false })).toBe("one\ntwo\nthree");
  });

  it.each(payloads.map((payload) => [payload]))("removes every control sequence of %j", (payload) => {
    for (const color of [true, false]) expect(controlsIn(terminalText(payload, { color }), color ? "colors" : "none")).toEqual([]);
  });
});
