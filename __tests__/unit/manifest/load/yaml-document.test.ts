import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type DocumentPath, keyOriginAt, nodeAt, type Origin, originAt, toValue } from "../../../../src/core/document.ts";
import { parseYaml } from "../../../../src/manifest/load/yaml-document.ts";
import fc from "../../../rig/property.ts";

function at({ range }: Origin): string {
  return `${range.start.line}:${range.start.column}-${range.end.line}:${range.end.column}`;
}

function problems(text: string): string[] {
  return parseYaml("wave.yaml", text).diagnostics.map(({ code, origin }) => `${code} ${at(origin)}`);
}

function parsedValue(text: string): unknown {
  const { node, diagnostics } = parseYaml("wave.yaml", text);
  expect(diagnostics).toEqual([]);
  return node === undefined ? undefined : toValue(node);
}

describe("values", () => {
  it("follow the core schema of YAML 1.2", () => {
    const text = "a: yes\nb: on\nc: true\nd: 0o17\ne: 0x1f\nf: 1.50\ng: ~\nh:\ni: '1'\nj: 2024-01-01\nk: 012\nl: 1_000\nm: !!str 5\n";
    const value = {
      a: "yes",
      b: "on",
      c: true,
      d: 15,
      e: 31,
      f: 1.5,
      g: null,
      h: null,
      i: "1",
      j: "2024-01-01",
      k: 12,
      l: "1_000",
      m: "5",
    };
    expect(parsedValue(text)).toEqual(value);
    expect(parsedValue(`%YAML 1.1\n---\n${text}`)).toEqual(value);
  });

  it("of aliases are those of their anchors", () => {
    expect(parsedValue("a: &x { k: [1, &y two] }\nb: *x\nc: [*y, *x]\na2: &x other\nd: *x\n")).toEqual({
      a: { k: [1, "two"] },
      b: { k: [1, "two"] },
      c: ["two", { k: [1, "two"] }],
      a2: "other",
      d: "other",
    });
  });

  it("under dangerous keys are plain members", () => {
    const value = parsedValue("__proto__: { polluted: true }\nconstructor: { prototype: { polluted: true } }\n");
    expect(Object.keys(value as object)).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("survive a round trip through YAML", () => {
    const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => typeof value === "object" && value !== null);
    const survives = fc.property(json, (value) => {
      expect(JSON.stringify(parsedValue(stringify(value)))).toBe(JSON.stringify(value));
    });
    fc.assert(survives, { numRuns: 300 });
  });
});

describe("places", () => {
  const text = [
    "# a comment",
    "pipeline:",
    "  steps:",
    "    - id: one   # trailing",
    '      task: "two words"',
    "      text: |",
    "        first",
    "        second",
    "",
    "    - { id: 'x', empty: , list: [1, 22] }",
    "last:",
    "",
    "# end",
    "",
  ].join("\n");
  const { node, diagnostics } = parseYaml("dir/wave.yaml", text);
  const places: readonly (readonly [DocumentPath, string, string])[] = [
    [["pipeline"], "3:3-10:42", "2:1-2:9"],
    [["pipeline", "steps"], "4:5-10:42", "3:3-3:8"],
    [["pipeline", "steps", 0], "4:7-8:15", "4:7-8:15"],
    [["pipeline", "steps", 0, "id"], "4:11-4:14", "4:7-4:9"],
    [["pipeline", "steps", 0, "task"], "5:13-5:24", "5:7-5:11"],
    [["pipeline", "steps", 0, "text"], "6:13-8:15", "6:7-6:11"],
    [["pipeline", "steps", 1, "id"], "10:13-10:16", "10:9-10:11"],
    [["pipeline", "steps", 1, "list"], "10:33-10:40", "10:27-10:31"],
    [["pipeline", "steps", 1, "list", 1], "10:37-10:39", "10:37-10:39"],
  ];

  it.each(places)("of %j", (path, value, key) => {
    if (node === undefined) throw new Error(JSON.stringify(diagnostics));
    expect([at(originAt(node, path)), at(keyOriginAt(node, path))]).toEqual([value, key]);
    expect(originAt(node, path).file).toBe("dir/wave.yaml");
  });

  it("of an empty value are those where it would be", () => {
    expect(node && nodeAt(node, ["last"])).toMatchObject({
      kind: "scalar",
      value: null,
      origin: { range: { start: { line: 11, column: 6 } } },
    });
  });

  it("count columns in UTF-16 units, even with CRLF", () => {
    const windows = parseYaml("w", "a: '😀'\r\nb: { é: x }\r\n").node;
    expect(windows && [at(originAt(windows, ["a"])), at(originAt(windows, ["b", "é"]))]).toEqual(["1:4-1:8", "2:9-2:10"]);
  });
});

describe("problems", () => {
  it.each([
    ["", "W102 1:1-1:1"],
    [" \n\t\n", "W102 1:1-1:1"],
    ["# nothing\n", "W102 1:1-1:1"],
    ["---\n", "W102 1:1-1:1"],
    ["a: [1, 2\nb: 3\n", "W101 2:1-2:2"],
    ["a: 'open\n", "W101 2:1-2:1"],
    ["a: *nowhere\n", "W101 1:4-1:12"],
    ["a: &a [*a]\n", "W106 1:8-1:10"],
    ["a: 1\n---\nb: 2\n", "W110 2:1-2:4"],
    ["a: !custom 1\n", "W110 1:12-1:13"],
    ["1: x\n", "W110 1:1-1:2"],
    ["? [a]\n: x\n", "W110 1:3-1:6"],
    ["<<: { a: 1 }\n", "W110 1:1-1:3"],
  ])("of %j", (text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  it("of a merge key advise to write the keys out", () => {
    const { diagnostics } = parseYaml("wave.yaml", "base: &base { a: 1 }\nstep:\n  <<: *base\n");
    expect(diagnostics).toMatchObject([
      {
        code: "W110",
        origin: { range: { start: { line: 3, column: 3 } } },
        message: expect.stringContaining("`<<`"),
        hint: expect.stringMatching(/^(?!.*overlay).*write the keys out/),
      },
    ]);
  });

  it("with tabs mention them", () => {
    for (const text of ["a:\n\tb: 1\n", "a:\n  - x\n\t- y\n"]) {
      const { diagnostics, node } = parseYaml("wave.yaml", text);
      expect(node).toBeUndefined();
      expect(diagnostics).toMatchObject([
        { code: "W101", message: "this line is indented with a tab; YAML requires spaces", hint: "indent with spaces" },
      ]);
    }
  });

  it("with duplicate keys report each one with the first, whose value is kept", () => {
    const { node, diagnostics } = parseYaml("w", "a: 1\nb: { x: 1, x: 2 }\na: 2\n__proto__: 1\n__proto__: 2\na: 3\n");
    expect(diagnostics.map(({ code, origin, related }) => [code, at(origin), related?.map((other) => at(other.origin))])).toEqual([
      ["W105", "2:12-2:13", ["2:6-2:7"]],
      ["W105", "3:1-3:2", ["1:1-1:2"]],
      ["W105", "5:1-5:10", ["4:1-4:10"]],
      ["W105", "6:1-6:2", ["1:1-1:2"]],
    ]);
    expect(node && JSON.stringify(toValue(node))).toBe('{"a":1,"b":{"x":1},"__proto__":1}');
  });

  it("accept a quoted `<<` and quoted numbers as keys", () => {
    expect(parsedValue('"<<": 1\n"1": 2\n')).toEqual({ "<<": 1, "1": 2 });
  });

  it("are at most 20 for syntax", () => {
    expect(problems("'a'\n".repeat(1000))).toHaveLength(20);
  });
});

describe("limits", () => {
  const bomb = (width: number, levels: number) =>
    Array.from(
      { length: levels },
      (_, level) =>
        `a${level}: &a${level} [${Array(width)
          .fill(level === 0 ? "x" : `*a${level - 1}`)
          .join(", ")}]\n`,
    ).join("");

  it("stop alias bombs", () => {
    expect(problems(bomb(10, 12))).toEqual([expect.stringMatching(/^W106 /)]);
    expect(problems(bomb(2, 60))).toEqual([expect.stringMatching(/^W106 /)]);
  });

  it("accept ordinary aliases", () => {
    expect(problems(bomb(10, 4))).toEqual([]);
  });

  it("stop alias chains that nest too deeply", () => {
    const chain = Array.from({ length: 150 }, (_, level) => `a${level}: &a${level} [${level === 0 ? "x" : `*a${level - 1}`}]\n`).join("");
    expect(problems(chain)).toEqual([expect.stringMatching(/^W106 /)]);
  });

  it.each([
    ["brackets", "[".repeat(5_000_000)],
    ["closed brackets", `${"[".repeat(5_000)}${"]".repeat(5_000)}`],
    ["dashes", "- ".repeat(200_000)],
    ["question marks", "? ".repeat(200_000)],
    ["a question mark a line", Array.from({ length: 2_000 }, (_, level) => `${" ".repeat(level)}?\n`).join("")],
    ["indented keys", Array.from({ length: 2_000 }, (_, level) => `${" ".repeat(level)}a:\n`).join("")],
    ["just too many levels", `${"[".repeat(102)}${"]".repeat(102)}`],
  ])("stop deep nesting: %s", (_, text) => {
    expect(problems(text)).toEqual([expect.stringMatching(/^W106 /)]);
  });

  it("allow 100 levels", () => {
    expect(problems(`${"[".repeat(100)}${"]".repeat(100)}`)).toEqual([]);
  });

  it("stop files too dense to hold in memory", () => {
    expect(problems(`[${"1,".repeat(2_000_000)}]`)).toEqual(["W104 1:1-1:1"]);
  }, 60_000);

  it("never throw for any text", () => {
    const pieces = fc.constantFrom(
      "a",
      ": ",
      "- ",
      "? ",
      "\n",
      "  ",
      "\t",
      "&x ",
      "*x",
      "!!str ",
      "!y ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "'",
      '"',
      "|\n",
      ">",
      "#",
      "%",
      "---\n",
      "...\n",
      "<<",
      "$",
      "\\",
      "\u0000",
      "\u2028",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const { node, diagnostics } = parseYaml("w", parts.join(""));
        expect(node !== undefined || diagnostics.length > 0).toBe(true);
        if (node !== undefined) toValue(node);
      }),
      { numRuns: 3_000 },
    );
  });
});
