/**
 * Finds the pipelines of a manifest in its three shapes: inline `pipeline:`, bare `steps:` named after the file, and
 * references under `pipelines:`. Checks names and versions; the steps themselves are not looked at here.
 */

import { posix } from "node:path";
import { defined } from "../../core/defined.ts";
import type { DocumentNode, Origin } from "../../core/document.ts";
import type { LoadedPipeline } from "../../core/loaded.ts";
import { asLocated, asText, entries, keyOrigin, member } from "./read-node.ts";
import type { Scope } from "./scope.ts";

/** A pipeline that was found, its steps unread. */
export interface PipelineSource {
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
  readonly active: boolean;
  /** The map that has `steps`. */
  readonly node: DocumentNode;
  readonly origin: Origin;
}

/** All pipelines of a manifest, in order. */
export function findPipelines(scope: Scope): PipelineSource[] {
  const { manifest } = scope;
  const inline = member(manifest, "pipeline");
  const found: PipelineSource[] = [];
  if (inline !== undefined)
    found.push(
      sourceOf(
        inline,
        asText(member(inline, "name")) ?? "pipeline",
        asLocated(member(inline, "name"))?.origin ?? keyOrigin(manifest, "pipeline"),
      ),
    );
  if (member(manifest, "steps") !== undefined) {
    const name = asLocated(member(manifest, "name"));
    found.push(
      sourceOf(
        manifest,
        name?.text ?? nameOfFile(scope.loaded.manifestFiles[0] ?? "wave.yaml"),
        name?.origin ?? keyOrigin(manifest, "steps"),
      ),
    );
  }
  checkReferences(scope);
  for (const loaded of scope.loaded.pipelines) found.push(...referenced(loaded, scope));
  return found;
}

/** `ci/nightly build.yaml` → `nightly-build`: bare steps are named after their file. */
export function nameOfFile(file: string): string {
  const stem = posix.basename(file, posix.extname(file));
  const name = stem
    .replaceAll(/[^A-Za-z0-9_.-]+/g, "-")
    .replaceAll(/\.{2,}/g, ".")
    .replace(/^[.-]+/, "")
    .slice(0, 100);
  return name === "" ? "wave" : name;
}

function sourceOf(node: DocumentNode, name: string, origin: Origin, active = true, label?: string): PipelineSource {
  const version = asText(member(node, "version")) ?? label;
  const description = asText(member(node, "description"));
  return { name, active, node, origin, ...defined({ version, description }) };
}

function referenced(loaded: LoadedPipeline, scope: Scope): PipelineSource[] {
  const node = member(loaded.document, "pipeline");
  // Why a file has no document, loading says; why a document has no pipeline, its structure.
  if (loaded.document === undefined || node === undefined) return [];
  const name = asLocated(member(node, "name"));
  if (name !== undefined && name.text !== loaded.name) {
    scope.findings.error("W204", `the pipeline calls itself \`${name.text}\`, but is listed as \`${loaded.name}\``, name.origin, {
      hint: "give it the name under which the manifest lists it",
      fix: loaded.name,
      related: [{ message: `listed as \`${loaded.name}\``, origin: loaded.reference }],
    });
  }
  const version = asLocated(member(node, "version"));
  if (version !== undefined && loaded.version !== undefined && version.text !== loaded.version) {
    scope.findings.error(
      "W204",
      `the pipeline says that it is version \`${version.text}\`, but is listed as \`${loaded.version}\``,
      version.origin,
      {
        hint: "give it the version under which the manifest lists it",
        fix: loaded.version,
        related: [{ message: `listed as version \`${loaded.version}\``, origin: loaded.reference }],
      },
    );
  }
  return [sourceOf(node, loaded.name, name?.origin ?? keyOrigin(loaded.document, "pipeline"), loaded.active, loaded.version)];
}

/** `active` has to be one of `versions`. */
function checkReferences({ manifest, findings }: Scope): void {
  for (const entry of entries(member(manifest, "pipelines"))) {
    const versions = entries(member(entry.node, "versions"));
    const active = asLocated(member(entry.node, "active"));
    const labels = versions.map((version) => version.key);
    if (active !== undefined && labels.length > 0 && !labels.includes(active.text)) {
      const advice = findings.guess(active.text, labels, `known versions: ${labels.map((label) => `\`${label}\``).join(", ")}`);
      findings.error("W206", `\`${active.text}\` is not among the versions of \`${entry.key}\``, active.origin, advice);
    }
  }
}
