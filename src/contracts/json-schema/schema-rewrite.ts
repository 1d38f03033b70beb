/**
 * Rewrites resolved references so that the evaluator reads them correctly. Without dynamic references, which is the usual case,
 * each file becomes one resource without ids and anchors, and each reference a pointer into it. Dynamic references with a
 * known target become plain ones. Others are rejected if the evaluator handles them wrongly.
 */
import type { ContractProblem } from "../../core/ports.ts";
import { pointerSegment } from "../json-source.ts";
import type { Reference, Resource, SchemaFile } from "./schema-files.ts";
import { isSchemaObject, type SchemaObject } from "./schema-walk.ts";

/** A reference and its target. */
export interface Resolved {
  readonly reference: Reference;
  readonly target: Resource;
  /** Relative to the target, percent-encoded. */
  readonly pointer: string;
  /** The fragment as written. */
  readonly fragment: string;
}

/**
 * Reports dynamic references whose target depends on the evaluated artifact, except the case that the evaluator handles: all
 * anchors are at the roots of their schemas, and the reference is in one of these schemas.
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

/** URI → schema, the first file's first. Modifies the schemas. */
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
      // The evaluator supports `nullable`, although it is not a keyword of JSON Schema.
      delete schema["nullable"];
      exposeProto(schema);
      if (dynamic.size === 0) for (const keyword of ["$anchor", "$dynamicAnchor", "$recursiveAnchor"]) delete schema[keyword];
      if (resource !== undefined && (dynamic.size > 0 || resource.path.length === 0)) schema["$id"] = nameOf(resource);
    }
  }
  return new Map(files.map(({ resources: [root], value }) => [nameOf(root), value]));
}

const protoName = "__proto__";

/** The evaluator skips the name `__proto__` in maps. Expresses its rules without a map. */
function exposeProto(schema: SchemaObject): void {
  const memberOf = (keyword: string) => {
    const map = schema[keyword];
    return isSchemaObject(map) && Object.hasOwn(map, protoName) ? { value: map[protoName] } : undefined;
  };
  const property = memberOf("properties");
  if (property !== undefined) {
    const patterns = isSchemaObject(schema["patternProperties"]) ? schema["patternProperties"] : {};
    // The extra groups avoid a collision with a pattern of the schema.
    schema["patternProperties"] = { ...patterns, "^(?:(?:__proto__))$": property.value };
  }
  const dependent = memberOf("dependencies");
  if (dependent !== undefined) {
    const then = Array.isArray(dependent.value) ? { required: dependent.value } : dependent.value;
    const all = Array.isArray(schema["allOf"]) ? schema["allOf"] : [];
    schema["allOf"] = [...all, { if: { required: [protoName] }, then }];
  }
}

/** Replaces a reference that is not dynamic by a plain one. A `$ref` next to it stays valid. */
function refer({ keyword, schema }: Reference, uri: string): void {
  if (keyword === "$ref") {
    schema["$ref"] = uri;
    return;
  }
  delete schema[keyword];
  schema["allOf"] = [...(Array.isArray(schema["allOf"]) ? schema["allOf"] : []), { $ref: uri }];
}

/** Whether the target depends on the dynamic scope (2019-09, section 8.2.4.2; 2020-12, section 8.2.3.2). */
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
