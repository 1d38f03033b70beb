/**
 * A walk over the subschemas of a JSON Schema, in place order. It knows which keywords hold schemas, so that a `$ref` in a
 * `const` or a property that is called `$id` is not taken for a keyword. It does not judge what it finds.
 */

/** A schema that is an object, as it was parsed; the walk's visitors may change it. */
export interface SchemaObject {
  [keyword: string]: unknown;
}

/** Values, not schemas: nothing in them is a keyword. */
const valueKeywords = new Set(["const", "default", "enum", "examples", "required", "dependentRequired", "$vocabulary", "type"]);

/** Maps from names to schemas. `dependencies` may hold lists of names too, which are no objects. */
const mapKeywords = new Set(["$defs", "definitions", "properties", "patternProperties", "dependencies", "dependentSchemas"]);

/**
 * Visits every subschema that is an object, parents first. `path` leads from the root to it; what the visitor gives back is
 * what the subschemas below it inherit.
 */
export function walkSchema<C>(
  root: unknown,
  inherited: C,
  visit: (schema: SchemaObject, path: readonly string[], inherited: C) => C,
): void {
  step(root, [], inherited);

  function step(value: unknown, path: readonly string[], context: C): void {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) step(item, [...path, String(index)], context);
      return;
    }
    if (!isSchemaObject(value)) return;
    const below = visit(value, path, context);
    for (const [keyword, member] of Object.entries(value)) {
      if (valueKeywords.has(keyword)) continue;
      if (mapKeywords.has(keyword) && isSchemaObject(member)) {
        for (const [name, schema] of Object.entries(member)) step(schema, [...path, keyword, name], below);
      } else {
        step(member, [...path, keyword], below);
      }
    }
  }
}

/** Whether a value is an object, the shape of a schema that is more than `true` or `false`. */
export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
