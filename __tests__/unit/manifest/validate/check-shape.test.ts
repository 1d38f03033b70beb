/** Our own checker of shapes finds what a full JSON Schema validator finds, in its order, whatever the value. */
import { Ajv, type ErrorObject } from "ajv";
import { describe, expect, it } from "vitest";
import { checkShape, type Shape } from "../../../../src/manifest/validate/check-shape.ts";
import { shapes } from "../../../../src/manifest/validate/generated/manifest-shapes.js";
import fc from "../../../rig/property.ts";

const names = Object.keys(shapes) as (keyof typeof shapes)[];

/** Values that are nearly of a shape: what it asks for, with some of everything else. */
function near(shape: Shape): fc.Arbitrary<unknown> {
  const junk = fc.oneof(fc.constantFrom(null, true, 0, -1.5, 1e6, "", "a", "a b", "x/y~z", "𝒳𝒳"), fc.constant({}), fc.constant([]));
  const right: fc.Arbitrary<unknown>[] = (shape.anyOf ?? []).map(near);
  const literals = [...(shape.enum ?? []), ...("const" in shape ? [shape.const] : [])];
  if (literals.length > 0) right.push(fc.constantFrom(...literals));
  if (shape.properties !== undefined || shape.patternProperties !== undefined) right.push(nearMap(shape));
  if (shape.items !== undefined) right.push(fc.array(near(shape.items), { maxLength: 3 }));
  if (shape.type === "boolean") right.push(fc.boolean());
  if (shape.type === "integer" || shape.type === "number") right.push(fc.integer({ min: -2, max: 300 }), fc.double());
  if (shape.type === "string")
    right.push(fc.constantFrom("a", "90s", "2GB", "A_B", "file_read:**", "a/b", "x".repeat(101), "𝒳".repeat(100)));
  return right.length === 0 ? junk : fc.oneof({ weight: 8, arbitrary: fc.oneof(...right) }, { weight: 1, arbitrary: junk });
}

function nearMap({ properties = {}, patternProperties = {}, required = [] }: Shape): fc.Arbitrary<unknown> {
  const keys = Object.fromEntries(Object.entries(properties).map(([key, part]) => [key, near(part)]));
  const free = Object.values(patternProperties)[0];
  const more = fc.dictionary(fc.constantFrom("A", "odd-key", "taks", "__proto__"), free === undefined ? fc.constant(1) : near(free), {
    maxKeys: 2,
  });
  const known = fc.record(keys, { requiredKeys: [] });
  const whole = fc.record(keys, { requiredKeys: required.filter((key) => key in keys) });
  return fc.oneof(
    { weight: 3, arbitrary: whole },
    known,
    fc.tuple(known, more).map(([a, b]) => ({ ...a, ...b })),
    more,
  );
}

describe("the shape of", () => {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strictTypes: false, ownProperties: true });

  it.each(names)("a %s is checked as by a full validator", (name) => {
    const validate = ajv.compile(shapes[name]);
    const wanted = (value: unknown) => (validate(value) ? [] : (validate.errors ?? []).map(told));
    fc.assert(
      fc.property(near(shapes[name]), (value) => {
        expect(checkShape(shapes[name], value).map(told)).toEqual(wanted(value));
      }),
      { numRuns: 500 },
    );
  });
});

/** What both say. The other one writes keys in pointers as URLs do. */
function told({ instancePath, schemaPath, keyword, params }: Pick<ErrorObject, "instancePath" | "schemaPath" | "keyword" | "params">) {
  return { instancePath, schemaPath: decodeURIComponent(schemaPath), keyword, params };
}
