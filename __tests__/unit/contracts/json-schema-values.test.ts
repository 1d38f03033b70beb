/** Values that `JSON.parse` or the evaluator alone handles wrongly: long numbers, duplicate keys, a key named `__proto__`. */
import { describe, expect, test } from "vitest";
import { compareDecimals, isMultipleOf, parseDecimal } from "../../../src/contracts/json-numbers.ts";
import { jsonSchemaContract } from "../../rig/calling-thread.ts";
import { contractContext, gateFiles } from "../../rig/contract-conformance.ts";
import { schemaContract } from "../../rig/plan-fixtures.ts";
import fc from "../../rig/property.ts";

const drafts = [
  "http://json-schema.org/draft-07/schema#",
  "https://json-schema.org/draft/2019-09/schema",
  "https://json-schema.org/draft/2020-12/schema",
];

async function violations(schema: string, artifact: string | Uint8Array): Promise<string[]> {
  const files = gateFiles({ "shape.schema.json": schema });
  const outcome = await jsonSchemaContract.verify(contractContext(schemaContract(), { files }, { out: artifact }));
  expect(outcome.verdict).toBe(outcome.violations.length === 0 ? "pass" : "fail");
  return outcome.violations.map(({ location, message }) => `${location?.line}:${location?.column} ${message}`);
}

async function problems(schema: string): Promise<string[]> {
  const found = await jsonSchemaContract.check(schemaContract(), gateFiles({ "shape.schema.json": schema }));
  return found.map(({ location, message }) => `${location?.line}:${location?.column} ${message}`);
}

describe("exact numbers", () => {
  test.each([
    ["19.99", '{"multipleOf":0.01}'],
    ["0.07", '{"multipleOf":0.01}'],
    ["4.35", '{"multipleOf":0.01}'],
    ["1.15", '{"multipleOf":0.01}'],
    ["9007199254740993", '{"multipleOf":3}'],
    ["9007199254740993", '{"maximum":9007199254740993}'],
    ["9007199254740993", '{"exclusiveMinimum":9007199254740992}'],
    ["9007199254740993", '{"type":"integer"}'],
    ["1e399", '{"type":"integer","minimum":9e398}'],
    ["1.0", '{"type":"integer","const":1}'],
    ["1E2", '{"enum":[100]}'],
    ["-0", '{"const":0}'],
    ["12345678901234567890", '{"const":12345678901234567890}'],
    ['{"a":[12345678901234567890]}', '{"const":{"a":[1234567890123456789e1]}}'],
    ["[9007199254740992,9007199254740993]", '{"uniqueItems":true}'],
    ['[1,true,"1",[1],{"1":1}]', '{"uniqueItems":true}'],
  ])("%s is valid against %s", async (artifact, schema) => {
    expect(await violations(schema, artifact)).toEqual([]);
  });

  test.each([
    ["9007199254740993", '{"maximum":9007199254740992}', "found `9007199254740993`, expected <= 9007199254740992"],
    ["9007199254740992", '{"minimum":9007199254740993}', "found `9007199254740992`, expected >= 9007199254740993"],
    ["9007199254740993", '{"exclusiveMaximum":9007199254740993}', "found `9007199254740993`, expected < 9007199254740993"],
    ["9007199254740992", '{"enum":[9007199254740993]}', "found `9007199254740992`, expected one of `9007199254740993`"],
    ["12345678901234567999", '{"const":12345678901234567890}', "found `12345678901234567999`, expected `12345678901234567890`"],
    ["9007199254740994", '{"multipleOf":3}', "found `9007199254740994`, expected a multiple of 3"],
    ["19.995", '{"multipleOf":0.01}', "found `19.995`, expected a multiple of 0.01"],
    ["9007199254740993.5", '{"type":"integer"}', "expected an integer, found the number `9007199254740993.5`"],
    ["1.00000000000000000001", '{"type":"integer"}', "expected an integer, found the number `1.00000000000000000001`"],
    ["1e-399", '{"maximum":0}', "found `1e-399`, expected <= 0"],
    ["12345678901234567890", '{"type":"string"}', "expected a string, found the number `12345678901234567890`"],
  ])("%s is not valid against %s", async (artifact, schema, message) => {
    expect(await violations(schema, artifact)).toEqual([`1:1 ${message}`]);
  });

  test("equal numbers with different notations are not unique", async () => {
    expect(await violations('{"uniqueItems":true}', '[10, {"a": 1e0}, 1e1, {"a": 1.0}]')).toEqual([
      "1:1 items 0 and 2 are equal, but items must be unique",
    ]);
  });

  test("an exponent beyond 400 is a violation at any position", async () => {
    expect(await violations("true", '{"a": "1e999",\n "b": [1e400, -1E-400, 1e1000000000]}')).toEqual([
      "2:24 the number `1e1000000000` has an exponent beyond ±400",
    ]);
  });

  test("an exponent beyond 400 in a schema is a problem", async () => {
    expect(await problems('{"maximum":\n1e401}')).toEqual([
      "2:1 `shape.schema.json` is not a schema: the number `1e401` has an exponent beyond ±400",
    ]);
  });

  test("decimals agree with exact arithmetic", () => {
    const decimal = fc.record({ digits: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), exponent: fc.integer({ min: -30, max: 30 }) });
    const scaled = ({ digits, exponent }: { digits: bigint; exponent: number }) => digits * 10n ** BigInt(exponent + 30);
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const [left, right] = [a, b].map(({ digits, exponent }) => parseDecimal(`${digits}e${exponent}`)) as [never, never];
        const [x, y] = [scaled(a), scaled(b)];
        expect(Math.sign(compareDecimals(left, right))).toBe(x < y ? -1 : x > y ? 1 : 0);
        if (y !== 0n) expect(isMultipleOf(left, right)).toBe(x % y === 0n);
      }),
    );
  });
});

describe("ambiguous texts", () => {
  test("a duplicate key is a violation, with or without escapes", async () => {
    expect(await violations("true", '{"a": 1,\n "b": {"x": 1, "y": [{}], "\\u0078": 2}}')).toEqual([
      "2:27 the key `x` occurs twice in one object",
    ]);
  });

  test("equal keys in different objects are allowed", async () => {
    expect(await violations("true", '{"a": {"a": [{"a": 1}, {"a": 1}]}, "b": "\\"a\\": {\\\\"}')).toEqual([]);
  });

  test("a duplicate key in a schema is a problem", async () => {
    expect(await problems('{"type": "string",\n "type": "number"}')).toEqual([
      "2:2 `shape.schema.json` is not a schema: the key `type` occurs twice in one object",
    ]);
  });

  test("a byte order mark is a violation", async () => {
    expect(await violations("true", Buffer.from("\ufeff{}"))).toEqual(["1:1 the text starts with a byte order mark"]);
  });

  test("`nullable: true` is rejected, because it is not a keyword", async () => {
    expect(await problems('{"properties":{"a":\n{"type":"string","nullable":true}}}')).toEqual([
      '2:29 `nullable` is not a keyword of JSON Schema; add `"null"` to `type` instead',
    ]);
  });

  test("`nullable: false` and a property named `nullable` are allowed", async () => {
    const schema = '{"type":"object","nullable":false,"properties":{"nullable":{"type":"boolean"}}}';
    expect(await violations(schema, '{"nullable":true}')).toEqual([]);
    expect(await violations(schema, "null")).toEqual(["1:1 expected an object, found `null`"]);
  });
});

describe.each(drafts)("a key named `__proto__` in %s", (draft) => {
  const schema = (rest: string) => `{"$schema":"${draft}",${rest}}`;

  test.each([
    ["in properties", '"properties":{"__proto__":{"type":"string"}}', '{"__proto__":5}'],
    ["nested", '"properties":{"a":{"properties":{"__proto__":{"type":"string"}}}}', '{"a":{"__proto__":5}}'],
    [
      "through a reference",
      '"properties":{"a":{"$ref":"#/definitions/b"}},"definitions":{"b":{"properties":{"__proto__":{"type":"string"}}}}',
      '{"a":{"__proto__":5}}',
    ],
    ["that is referred to", '"properties":{"a":{"$ref":"#/properties/__proto__"},"__proto__":{"type":"string"}}', '{"a":5}'],
    ["beside a pattern", '"properties":{"__proto__":{"type":"string"}},"patternProperties":{"^x":true}', '{"__proto__":5}'],
  ])("is evaluated %s", async (_, rest, artifact) => {
    expect(await violations(schema(rest), artifact)).toEqual([expect.stringMatching(/expected a string, found the number `5`$/)]);
    expect(await violations(schema(rest), artifact.replace("5", '"5"'))).toEqual([]);
  });

  test("is allowed if it is among the known keys", async () => {
    const closed = schema('"properties":{"__proto__":{"type":"string"}},"additionalProperties":false');
    expect(await violations(closed, '{"__proto__":"x"}')).toEqual([]);
    expect(await violations(closed, '{"proto":"x"}')).toHaveLength(1);
  });

  test("can be required, and other keys can depend on it", async () => {
    expect(await violations(schema('"required":["__proto__"]'), "{}")).toHaveLength(1);
    expect(await violations(schema('"required":["__proto__"]'), '{"__proto__":1}')).toEqual([]);
    const [names, schemas] = draft.includes("draft-07") ? ["dependencies", "dependencies"] : ["dependentRequired", "dependentSchemas"];
    for (const rest of [`"${names}":{"__proto__":["a"]}`, `"${schemas}":{"__proto__":{"required":["a"]}}`]) {
      expect(await violations(schema(rest), '{"__proto__":1}')).toEqual([expect.stringMatching(/the key `a` is missing/)]);
      expect(await violations(schema(rest), '{"__proto__":1,"a":1}')).toEqual([]);
      expect(await violations(schema(rest), "{}")).toEqual([]);
    }
  });
});

test.each(drafts.slice(1))("a key named `__proto__` counts as evaluated in %s", async (draft) => {
  const schema = `{"$schema":"${draft}","properties":{"__proto__":true},"unevaluatedProperties":false}`;
  expect(await violations(schema, '{"__proto__":1}')).toEqual([]);
  expect(await violations(schema, '{"a":1}')).toHaveLength(1);
});

test("checks that 200,000 objects are unique in linear time", async () => {
  const items = Array.from({ length: 200_000 }, (_, id) => ({ id }));
  expect(await violations('{"uniqueItems":true}', JSON.stringify(items))).toEqual([]);
  expect(await violations('{"uniqueItems":true}', JSON.stringify([...items, { id: 7 }]))).toEqual([
    "1:1 items 7 and 200000 are equal, but items must be unique",
  ]);
});
