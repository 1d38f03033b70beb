import { describe, expect, test } from "vitest";
import { jsonSchemaContract } from "../../../rig/calling-thread.ts";
import { contractContext, gateFiles } from "../../../rig/contract-conformance.ts";
import { schemaContract, step } from "../../../rig/plan-fixtures.ts";

const draft07 = "http://json-schema.org/draft-07/schema#";
const draft2019 = "https://json-schema.org/draft/2019-09/schema";
const draft2020 = "https://json-schema.org/draft/2020-12/schema";

async function verify(schema: unknown, artifact: unknown, others: Readonly<Record<string, unknown>> = {}) {
  const files = gateFiles({ "shape.schema.json": schema, ...others });
  const text = typeof artifact === "string" || artifact instanceof Uint8Array ? artifact : JSON.stringify(artifact, undefined, 2);
  return jsonSchemaContract.verify(contractContext(schemaContract(), { files }, { out: text }));
}

/** One line per violation: position, pointer, rule, message. */
async function violations(schema: unknown, artifact: unknown, others: Readonly<Record<string, unknown>> = {}) {
  const outcome = await verify(schema, artifact, others);
  return outcome.violations.map(
    ({ location, pointer, rule, message }) => `${location?.line}:${location?.column} ${pointer} ${rule}: ${message}`,
  );
}

async function problems(schema: unknown, others: Readonly<Record<string, unknown>> = {}) {
  const found = await jsonSchemaContract.check(schemaContract(), gateFiles({ "shape.schema.json": schema, ...others }));
  return found.map(
    ({ location, message, hint }) =>
      `${location?.file}:${location?.line}:${location?.column} ${message}${hint === undefined ? "" : ` (${hint})`}`,
  );
}

describe("violations", () => {
  test("contain the value, the expectation and the position", async () => {
    const schema = {
      type: "object",
      required: ["name", "version"],
      additionalProperties: false,
      properties: {
        name: { type: "string", minLength: 3, pattern: "^[a-z]+$" },
        version: { type: "integer", minimum: 1 },
        level: { enum: ["high", "low"] },
        kind: { const: "report" },
        when: { format: "date" },
        tags: { type: "array", maxItems: 2, uniqueItems: true, items: { type: ["string", "null"] } },
      },
    };
    const artifact =
      '{\n  "name": "A",\n  "level": "hihg",\n  "kind": "x",\n  "when": "2020-13-01",\n  "tags": ["a", 1, "a"],\n  "versoin": 2\n}';
    expect(await violations(schema, artifact)).toEqual([
      "1:1  required: the key `version` is missing; is `versoin` a typo of it?",
      '2:11 /name minLength: found `"A"`, which has 1 character; expected at least 3',
      '2:11 /name pattern: found `"A"`, which does not match `^[a-z]+$`',
      '3:12 /level enum: found `"hihg"`, expected one of `"high"`, `"low"`; did you mean `high`?',
      '4:11 /kind const: found `"x"`, expected `"report"`',
      '5:11 /when format: found `"2020-13-01"`, which is not a valid `date`',
      "6:11 /tags maxItems: found an array of 3 items; expected at most 2",
      "6:11 /tags uniqueItems: items 0 and 2 are equal, but items must be unique",
      "6:17 /tags/1 type: expected a string or `null`, found the number `1`",
      "7:3 /versoin additionalProperties: the key `versoin` is not allowed here; allowed: `name`, `version`, `level`, `kind`, `when`, `tags`; did you mean `version`?",
    ]);
  });

  test("escape keys in pointers, and treat names of Object.prototype as ordinary keys", async () => {
    const schema = { required: ["toString"], properties: { "a/b~c": { type: "string" } } };
    expect(await violations(schema, '{"a/b~c": 1, "__proto__": 2}')).toEqual([
      "1:1  required: the key `toString` is missing",
      "1:11 /a~1b~0c type: expected a string, found the number `1`",
    ]);
  });

  test("of branches name the errors in the branches, not the branches", async () => {
    const schema = { anyOf: [{ type: "string" }, { type: "object", required: ["id"] }] };
    expect(await violations(schema, {})).toEqual(["1:1  required: the key `id` is missing"]);
    expect(await violations(schema, 1)).toEqual(["1:1  anyOf: expected a string or an object, found the number `1`"]);
    expect(await violations({ anyOf: [{ minimum: 5 }, { maximum: 0 }] }, 1)).toEqual([
      "1:1  minimum: found `1`, expected >= 5",
      "1:1  maximum: found `1`, expected <= 0",
    ]);
    expect(await violations({ oneOf: [{ type: "integer" }, { minimum: 2 }] }, 3)).toEqual([
      "1:1  oneOf: found the number `3`, which has 2 of the allowed shapes at once (number 1 and 2); exactly one is expected",
    ]);
  });

  test("are limited to a hundred, and the others are counted", async () => {
    const outcome = await verify(
      { items: { type: "string" } },
      Array.from({ length: 250 }, (_, index) => index),
    );
    expect(outcome.violations.length).toBe(100);
    expect(outcome.violations.at(-1)).toEqual({ message: "151 more violations are not listed", rule: "limit" });
  });

  test.each([
    ["{\n  // no\n}", "2:3 undefined json: the text is not JSON: comments are not JSON, found `// no`"],
    ["", "1:1 undefined json: the text is empty"],
    [Buffer.from([0x22, 0xff, 0x22]), "1:2 undefined json: the text is not UTF-8: byte 0xff at offset 1"],
  ])("an artifact that is not JSON fails: %j", async (artifact, violation) => {
    expect(await violations(true, artifact)).toEqual([violation]);
  });

  test("JSON that is nested too deeply fails without a crash", async () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    expect(await verify({ $ref: "#/$defs/list", $defs: { list: { type: "array", items: { $ref: "#/$defs/list" } } } }, deep)).toEqual({
      verdict: "fail",
      violations: [
        {
          message: "the JSON is nested too deeply to be checked",
          rule: "json",
          pointer: "",
          location: { file: "output/out.json", line: 1, column: 1 },
        },
      ],
    });
    expect((await verify({ type: "array" }, deep)).verdict).toBe("pass");
  });

  test("name the artifact instead of a file if it came from the final message", async () => {
    const context = contractContext(schemaContract(), { files: gateFiles({ "shape.schema.json": false }) }, { out: "1" });
    const artifacts = context.artifacts.map((artifact) => ({ ...artifact, source: "message" }));
    expect((await jsonSchemaContract.verify({ ...context, artifacts })).violations[0]?.location).toEqual({
      file: "out",
      line: 1,
      column: 1,
    });
  });
});

describe("drafts", () => {
  const cases: readonly [string, unknown, readonly unknown[], readonly unknown[]][] = [
    [
      "draft-07 dependencies and tuples",
      { $schema: draft07, dependencies: { a: ["b"] }, properties: { t: { items: [{ type: "string" }], additionalItems: false } } },
      [{}, { a: 1, b: 1 }, { t: ["x"] }],
      [{ a: 1 }, { t: ["x", 1] }, { t: [1] }],
    ],
    [
      "draft-07 $id anchors and if/then/else",
      {
        $schema: draft07,
        definitions: { n: { $id: "#num", type: "number" } },
        if: { type: "object" },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { properties: { n: { $ref: "#num" } } },
        else: { type: "string" },
      },
      [{ n: 1 }, "x"],
      [{ n: "x" }, 3],
    ],
    [
      "draft-07 ignores what stands beside $ref",
      { $schema: draft07, definitions: { s: { type: "string" } }, properties: { a: { $ref: "#/definitions/s", maxLength: 1 } } },
      [{ a: "long" }],
      [{ a: 1 }],
    ],
    [
      "2019-09 dependentRequired and unevaluatedProperties",
      {
        $schema: draft2019,
        allOf: [{ properties: { a: true } }],
        dependentRequired: { a: ["b"] },
        properties: { b: true },
        unevaluatedProperties: false,
      },
      [{}, { a: 1, b: 1 }],
      [{ a: 1 }, { c: 1 }],
    ],
    [
      "2019-09 $anchor and $recursiveRef",
      {
        $schema: draft2019,
        $defs: { s: { $anchor: "str", type: "string" } },
        properties: { name: { $ref: "#str" }, children: { items: { $recursiveRef: "#" } } },
      },
      [{ children: [{ name: "x" }] }],
      [{ children: [{ children: [{ name: 1 }] }] }],
    ],
    [
      "2019-09 contains with bounds",
      { $schema: draft2019, contains: { const: 1 }, minContains: 2, maxContains: 3 },
      [
        [1, 1],
        [1, 1, 1, 2],
      ],
      [[1], [1, 1, 1, 1]],
    ],
    [
      "2020-12 prefixItems and items",
      { $schema: draft2020, prefixItems: [{ type: "string" }], items: { type: "number" } },
      [["a", 1, 2]],
      [[1], ["a", "b"]],
    ],
    ["2020-12 unevaluatedItems", { $schema: draft2020, allOf: [{ prefixItems: [true] }], unevaluatedItems: false }, [[1]], [[1, 2]]],
    [
      "2020-12 dependentSchemas and $defs",
      { $schema: draft2020, $defs: { b: { required: ["b"] } }, dependentSchemas: { a: { $ref: "#/$defs/b" } } },
      [{ a: 1, b: 2 }],
      [{ a: 1 }],
    ],
    [
      "2020-12 $dynamicRef to one anchor",
      { $schema: draft2020, $dynamicAnchor: "node", properties: { next: { $dynamicRef: "#node" }, v: { type: "string" } } },
      [{ next: { v: "x" } }],
      [{ next: { next: { v: 1 } } }],
    ],
    ["2020-12 when $schema is absent", { prefixItems: [{ type: "string" }] }, [["a"]], [[1]]],
    ["a schema that is a boolean", false, [], [1]],
    [
      "formats",
      {
        properties: {
          e: { format: "email" },
          u: { format: "uri" },
          t: { format: "date-time" },
          i: { format: "ipv4" },
          x: { format: "uuid" },
          unknown: { format: "made-up" },
        },
      },
      [{ e: "a@b.cd", u: "https://x.y/z", t: "2020-01-01T00:00:00Z", i: "1.2.3.4", unknown: "?" }],
      [{ e: "a" }, { u: "no uri" }, { t: "today" }, { i: "1.2.3" }, { x: "1" }],
    ],
    ["unknown keywords are let be", { typo: 1, "x-note": { $id: 5 }, type: "string" }, ["a"], [1]],
    ["a $ref in a value is no reference", { const: { $ref: "gone.json" }, title: "t" }, [{ $ref: "gone.json" }], [{}]],
  ];

  test.each(cases)("%s", async (_, schema, valid, invalid) => {
    for (const value of valid) expect([value, (await verify(schema, JSON.stringify(value))).verdict]).toEqual([value, "pass"]);
    for (const value of invalid) expect([value, (await verify(schema, JSON.stringify(value))).verdict]).toEqual([value, "fail"]);
  });

  test("evaluates circular references across several files", async () => {
    const others = { "parts/tree.json": { type: "object", properties: { children: { items: { $ref: "../shape.schema.json" } } } } };
    const schema = { $ref: "parts/tree.json", properties: { name: { type: "string" } } };
    expect(await violations(schema, { children: [{ name: 1 }] }, others)).toEqual([
      "4:15 /children/0/name type: expected a string, found the number `1`",
    ]);
  });

  test("finds files by path relative to the referring file and by `$id`, in any order", async () => {
    const others = {
      "parts/a.json": { $id: "https://acme.test/schemas/a.json", properties: { b: { $ref: "b.json#/$defs/b" } } },
      "parts/b.json": { $defs: { b: { type: "string" } } },
      "elsewhere/c.json": { $id: "https://acme.test/schemas/c.json", type: "boolean" },
    };
    const schema = {
      properties: {
        a: { $ref: "./parts/a.json" },
        c: { $ref: "https://acme.test/schemas/c.json" },
        d: { $ref: "https://acme.test/schemas/a.json#/properties/b" },
      },
    };
    expect(await violations(schema, '{"a": {"b": 1}, "c": 1, "d": 1}', others)).toEqual([
      "1:13 /a/b type: expected a string, found the number `1`",
      "1:22 /c type: expected a boolean, found the number `1`",
      "1:30 /d type: expected a string, found the number `1`",
    ]);
  });
});

describe("problems in a definition", () => {
  test.each<[string, unknown, readonly string[], Readonly<Record<string, unknown>>?]>([
    [
      "a file that is no JSON",
      '{\n  "type": }',
      ["shape.schema.json:2:11 `shape.schema.json` is not a schema: the text is not JSON: a value is expected, found `}`"],
    ],
    ["no schema", [], ["shape.schema.json:1:1 a schema must be an object, `true` or `false`"]],
    [
      "a keyword with a wrong value",
      { properties: { a: { type: "strng" }, b: { minLength: -1 } } },
      [
        'shape.schema.json:4:15 the schema does not meet 2020-12 at `/properties/a/type`: found `"strng"`, expected one of `"array"`, `"boolean"`, `"integer"`, `"null"`, `"number"`, `"object"`, `"string"`; did you mean `string`?',
        "shape.schema.json:7:20 the schema does not meet 2020-12 at `/properties/b/minLength`: found `-1`, expected >= 0",
      ],
    ],
    [
      "an unknown draft",
      { $schema: "http://json-schema.org/draft-04/schema#" },
      [
        "shape.schema.json:2:14 `$schema` names `http://json-schema.org/draft-04/schema#`, which is not a supported draft (did you mean `http://json-schema.org/draft-07/schema#`?)",
      ],
    ],
    [
      "a remote reference",
      { $ref: "https://acme.test/s.json" },
      [
        "shape.schema.json:2:11 `$ref` refers to `https://acme.test/s.json`, which is remote; schemas are not fetched (add a copy to the project and refer to it by path)",
      ],
    ],
    [
      "a reference to no file",
      { $ref: "parts/comon.json" },
      [
        "shape.schema.json:2:11 `$ref` refers to `parts/comon.json`, which is not a schema file of this project (did you mean `parts/common.json`?)",
      ],
      { "parts/common.json": {} },
    ],
    [
      "a reference out of the project",
      { $ref: "../outside.json" },
      ["shape.schema.json:2:11 `$ref` refers to `../outside.json`, which is not a schema file of this project"],
    ],
    [
      "a reference to nothing in a file",
      { $ref: "#/$defs/a", allOf: [{ $ref: "#b" }] },
      [
        "shape.schema.json:2:11 `$ref` refers to `#/$defs/a`, but `shape.schema.json` has no schema there",
        "shape.schema.json:5:15 `$ref` refers to `#b`, but `shape.schema.json` has no schema there",
      ],
    ],
    [
      "a reference into another draft",
      { $schema: draft2020, $ref: "old.json" },
      [
        "shape.schema.json:3:11 `$ref` refers to `old.json`, whose draft is draft-07, from a schema whose draft is 2020-12 (use the same draft in both)",
      ],
      { "old.json": { $schema: draft07 } },
    ],
    [
      "a broken file that is referred to, once",
      { allOf: [{ $ref: "b.json" }, { $ref: "b.json" }] },
      ["b.json:1:1 `b.json` is not a schema: the text is empty"],
      { "b.json": "" },
    ],
    [
      "two files with one id",
      { $id: "https://a.test/x", $ref: "b.json" },
      ["b.json:2:10 the `$id` `https://a.test/x` is already used in `shape.schema.json` (give each schema a unique `$id`)"],
      { "b.json": { $id: "https://a.test/x" } },
    ],
    [
      "a pattern that is none",
      { properties: { a: { pattern: "(" } } },
      ["shape.schema.json:4:18 Invalid regular expression: /(/: Unterminated group"],
    ],
    [
      "a reference back to itself",
      { $ref: "#" },
      ["shape.schema.json:1:1 the schema `shape.schema.json` does not compile: it is nested too deeply, or a `$ref` refers to itself"],
    ],
    [
      "what the evaluator would misread",
      { unevaluatedItems: false, contains: { type: "string" } },
      [
        "shape.schema.json:2:23 `unevaluatedItems` cannot be evaluated here together with `contains`; list the allowed values without `unevaluatedItems`",
      ],
    ],
  ])("%s", async (_, schema, expected, others) => {
    expect(await problems(schema, others)).toEqual(expected);
    expect((await verify(schema, "1", others)).verdict).toBe("error");
  });

  test("reports a missing schema file", async () => {
    const contract = schemaContract({ schema: "gone.schema.json" });
    expect(await jsonSchemaContract.check(contract, gateFiles({ "done.schema.json": {} }))).toEqual([
      { message: "the schema file `gone.schema.json` does not exist", hint: "did you mean `done.schema.json`?" },
    ]);
  });

  test("reports a schema that is nested too deeply, without a crash", async () => {
    expect((await problems(`${'{"not":'.repeat(50_000)}{}${"}".repeat(50_000)}`)).length).toBe(1);
  });
});

describe("artifacts", () => {
  const files = gateFiles({ "shape.schema.json": true });

  test("a missing one fails, unless it is optional", async () => {
    const optional = step("build", { artifacts: [{ name: "out", optional: true, implied: false }] });
    expect([
      await jsonSchemaContract.verify(contractContext(schemaContract(), { files })),
      await jsonSchemaContract.verify(contractContext(schemaContract(), { files, step: optional })),
    ]).toEqual([
      { verdict: "fail", violations: [{ message: "the artifact `out` was not produced", rule: "artifact" }] },
      { verdict: "pass", violations: [] },
    ]);
  });

  test("one whose bytes were changed in the store is an error, not a failure", async () => {
    const made = contractContext(schemaContract(), { files }, { out: "1" });
    const outcome = await jsonSchemaContract.verify({ ...made, readArtifact: contractContext(schemaContract()).readArtifact });
    expect(outcome).toEqual({
      verdict: "error",
      violations: [{ message: "the artifact `out` cannot be read: state is damaged: blobs/out; its digest differs", rule: "artifact" }],
    });
  });

  test("a changed schema is compiled again", async () => {
    expect([
      (await verify({ type: "string" }, "1")).verdict,
      (await verify({ type: "number" }, "1")).verdict,
      (await verify({ type: "string" }, "1")).verdict,
    ]).toEqual(["fail", "pass", "fail"]);
  });
});
