/**
 * Walks the subschemas of a JSON Schema in source order. It skips values that are not schemas, so that a `$ref` in a `const`
 * or a property named `$id` is not mistaken for a keyword. It does not validate.
 */

/** A parsed schema that is an object. Visitors may modify it. */
export interface SchemaObject {
  [keyword: string]: unknown;
}

/** Keywords with values that are not schemas. */
const valueKeywords = new Set(["const", "default", "enum", "examples", "required", "dependentRequired", "$vocabulary", "type"]);

/** Keywords with maps of schemas. `dependencies` may contain lists of names too. */
const mapKeywords = new Set(["$defs", "definitions", "properties", "patternProperties", "dependencies", "dependentSchemas"]);

/**
 * Visits every subschema that is an object, parents first. `path` is relative to the root. The visitor's result is passed to
 * the visits of its subschemas.
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

/** Whether a value is an object, which a schema is unless it is `true` or `false`. */
export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
