import { describe, expect, it } from "vitest";
import { type Lookup, substitute } from "../../../../src/manifest/load/substitute.ts";

const values = new Map([
  ["SET", "value"],
  ["EMPTY", ""],
  ["_x1", "under"],
]);

const lookup: Lookup = (name) => {
  if (name === "SECRET") return { kind: "forbidden" };
  const value = values.get(name);
  return value === undefined ? { kind: "unset" } : { kind: "set", value };
};

const filled: readonly (readonly [string, string])[] = [
  ["no variables", "no variables"],
  ["${SET} and ${SET}", "value and value"],
  ["${_x1}${_x1}", "underunder"],
  ["$SET $$ $1 $(cmd) a $", "$SET $$ $1 $(cmd) a $"],
  ["[${EMPTY}]", "[]"],
  ["${EMPTY:-default}", "default"],
  ["${EMPTY-default}", ""],
  ["${UNSET-default}", "default"],
  ["${UNSET:-}", ""],
  ["${UNSET:-${SET}}", "value"],
  ["${UNSET:-${ALSO:-deep $SET}}!", "deep $SET!"],
  ["${SET:-${UNSET}}", "value"],
  ["${SET:+there}", "there"],
  ["${EMPTY:+there}", ""],
  ["${EMPTY+there}", "there"],
  ["${UNSET+there}", ""],
  ["${SET:?needed}", "value"],
  ["${EMPTY?needed}", ""],
  ["$${SET} $$${SET} ${SET}$${SET}", "${SET} $${SET} value${SET}"],
  ["$$$SET", "$$$SET"],
  ["${UNSET:-$5}", "$5"],
  ["{{ inputs.x }} {{ input }}", "{{ inputs.x }} {{ input }}"],
  ['${UNSET:-{"a": {"b": 1}}}', '{"a": {"b": 1}}'],
  ["${UNSET:-a:b/c?d}", "a:b/c?d"],
  ["${UNSET:-two\nlines}", "two\nlines"],
];

describe("substitute", () => {
  it.each(filled)("fills %j", (text, expected) => {
    expect(substitute(text, lookup)).toEqual({ text: expected, problems: [] });
  });

  it.each(["${}", "${1A}", "${SET", "${SET!x}", "${SET:}", "${a-b", "${ SET }"])("refuses %j, and keeps it unchanged", (text) => {
    const { text: left, problems } = substitute(text, lookup);
    expect(left).toBe(text);
    expect(problems.map(({ kind }) => kind)).toEqual(["malformed"]);
  });

  it("names each variable that has no value, in order, with its expression", () => {
    expect(substitute("${A} ${B} ${C:?say ${SET}} ${D?} ${SECRET} ${SECRET:-x}", lookup)).toEqual({
      text: "${A} ${B} ${C:?say ${SET}} ${D?} ${SECRET} ${SECRET:-x}",
      problems: [
        { kind: "unset", expression: "${A}", name: "A" },
        { kind: "unset", expression: "${B}", name: "B" },
        { kind: "required", expression: "${C:?say ${SET}}", name: "C", message: "say value" },
        { kind: "required", expression: "${D?}", name: "D", message: "" },
        { kind: "forbidden", expression: "${SECRET}", name: "SECRET" },
        { kind: "forbidden", expression: "${SECRET:-x}", name: "SECRET" },
      ],
    });
  });

  it("does not substitute within substituted values", () => {
    expect(substitute("${X}", () => ({ kind: "set", value: "$SET ${SET} $$" }))).toEqual({ text: "$SET ${SET} $$", problems: [] });
  });

  it("refuses defaults that are nested more than 20 levels deep", () => {
    const deep = `${"${U:-".repeat(50)}x${"}".repeat(50)}`;
    expect(substitute(deep, lookup).problems).toMatchObject([{ kind: "malformed" }]);
  });
});
