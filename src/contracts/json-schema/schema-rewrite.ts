/**
 * Resolved references, written so that the evaluator cannot misread them. Where no reference is dynamic, which is nearly
 * always, each file becomes one resource without ids or anchors, and every reference a pointer into it. Dynamic references
 * whose target can be told are made plain; of the rest, those that the evaluator gets wrong are refused.
 */
import type { ContractProblem } from "../../core/ports.ts";
import { pointerSegment } from "../json-source.ts";
import type { Reference, Resource, SchemaFile } from "./schema-files.ts";
import { isSchemaObject, type SchemaObject } from "./schema-walk.ts";

/** A reference and what it leads to. */
export interface Resolved {
  readonly reference: Reference;
  readonly target: Resource;
  /** From the target, percent-encoded. */
  readonly pointer: string;
  /** As written. */
  readonly fragment: string;
}

/**
 * Dynamic references whose target is only known while an artifact is evaluated, beyond the case that the evaluator
 * handles: the anchors at the roots of their schemas, and the reference to one of its own.
 */
export function undecidable(resolved: readonly Resolved[], files: readonly SchemaFile[]): ContractProblem[] {
  return resolved.flatMap(({ reference, target, pointer, fragment }) => {
    const { keyword, resource, path } = reference;
    if (keyword !== "$dynamicRef" || !isDynamic({ reference, target, pointer, fragment }, files)) return [];
    const rooted = anchoring(fragment, files).every((other) => other.anchors.get(fragment) === "");
    if (rooted && target === resource) return [];
    return [
      resource.file.problemAt(
        path,
        `\`$dynamicRef\` to \`#${fragment}\` cannot be evaluated here: several schemas have that \`$dynamicAnchor\``,
        "use `$ref`, or put the anchors at the roots of their schemas",
      ),
    ];
  });
}

/** URI → schema, the first file's first; changes the schemas. */
export function rewriteSchemas(resolved: readonly Resolved[], files: readonly SchemaFile[]): ReadonlyMap<string, unknown> {
  const dynamic = new Set(resolved.filter((one) => isDynamic(one, files)));
  const names = new Map(files.flatMap(({ resources }) => resources).map((resource, index) => [resource, `wave://schema/${index}`]));
  const nameOf = (resource: Resource | undefined) => (resource === undefined ? "" : (names.get(resource) ?? ""));
  for (const one of resolved) {
    if (dynamic.has(one)) continue;
    const { reference, target, pointer } = one;
    const inFile = target.path.map((segment) => `/${encodeURIComponent(pointerSegment(segment))}`).join("");
    refer(reference, dynamic.size > 0 ? `${nameOf(target)}#${pointer}` : `${nameOf(target.file.resources[0])}#${inFile}${pointer}`);
  }
  for (const { schemas, resources } of files) {
    const owned = new Map(resources.map((resource) => [resource.value, resource]));
    for (const schema of schemas) {
      const resource = owned.get(schema);
      delete schema["$id"];
      // The evaluator reads it, although it is not a keyword.
      delete schema["nullable"];
      exposeProto(schema);
      if (dynamic.size === 0) for (const keyword of ["$anchor", "$dynamicAnchor", "$recursiveAnchor"]) delete schema[keyword];
      if (resource !== undefined && (dynamic.size > 0 || resource.path.length === 0)) schema["$id"] = nameOf(resource);
    }
  }
  return new Map(files.map(({ resources: [root], value }) => [nameOf(root), value]));
}

const protoName = "__proto__";

/** The evaluator skips the name `__proto__` in maps of names. The same rules are written so that it does not see a map. */
function exposeProto(schema: SchemaObject): void {
  const memberOf = (keyword: string) => {
    const map = schema[keyword];
    return isSchemaObject(map) && Object.hasOwn(map, protoName) ? { value: map[protoName] } : undefined;
  };
  const property = memberOf("properties");
  if (property !== undefined) {
    const patterns = isSchemaObject(schema["patternProperties"]) ? schema["patternProperties"] : {};
    // Patterns match anywhere, so this one is not among those of a schema's author.
    schema["patternProperties"] = { ...patterns, "^(?:(?:__proto__))$": property.value };
  }
  const dependent = memberOf("dependencies");
  if (dependent !== undefined) {
    const then = Array.isArray(dependent.value) ? { required: dependent.value } : dependent.value;
    const all = Array.isArray(schema["allOf"]) ? schema["allOf"] : [];
    schema["allOf"] = [...all, { if: { required: [protoName] }, then }];
  }
}

/** A reference that is not dynamic is a plain one, whatever its keyword; a `$ref` beside it still counts. */
function refer({ keyword, schema }: Reference, uri: string): void {
  if (keyword === "$ref") {
    schema["$ref"] = uri;
    return;
  }
  delete schema[keyword];
  schema["allOf"] = [...(Array.isArray(schema["allOf"]) ? schema["allOf"] : []), { $ref: uri }];
}

/** Whether the target depends on how evaluation came there (2019-09: 8.2.4.2, 2020-12: 8.2.3.2). */
function isDynamic({ reference: { keyword }, target, fragment }: Resolved, files: readonly SchemaFile[]): boolean {
  switch (keyword) {
    case "$ref":
      return false;
    case "$recursiveRef":
      return isSchemaObject(target.value) && target.value["$recursiveAnchor"] === true;
    case "$dynamicRef":
      return target.dynamicAnchors.has(fragment) && anchoring(fragment, files).length > 1;
  }
}

function anchoring(anchor: string, files: readonly SchemaFile[]): Resource[] {
  return files.flatMap(({ resources }) => resources).filter(({ dynamicAnchors }) => dynamicAnchors.has(anchor));
}
