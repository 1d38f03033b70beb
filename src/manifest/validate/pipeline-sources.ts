/**
 * Finds the pipelines of a manifest: inline `pipeline:`, bare `steps:` named after the file, and files in `pipelines:`. Checks names and versions, but
 * not steps.
 */

import { posix } from "node:path";
import { defined } from "../../core/defined.ts";
import type { DocumentNode, Origin } from "../../core/document.ts";
import type { LoadedPipeline } from "../../core/loaded.ts";
import { asLocated, asText, entries, keyOrigin, member } from "./read-node.ts";
import type { Scope } from "./scope.ts";

/** A pipeline whose steps are not read yet. */
export interface PipelineSource {
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
  readonly active: boolean;
  /** The map that contains `steps`. */
  readonly node: DocumentNode;
  readonly origin: Origin;
}

/** All pipelines in manifest order. */
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

/** The name of bare steps: `ci/nightly build.yaml` becomes `nightly-build`. */
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
  // Loading reports unreadable files; the structure check reports missing pipelines.
  if (loaded.document === undefined || node === undefined) return [];
  const name = asLocated(member(node, "name"));
  if (name !== undefined && name.text !== loaded.name) {
    scope.findings.error("W204", `the pipeline is named \`${name.text}\`, but the manifest lists it as \`${loaded.name}\``, name.origin, {
      hint: "use the name in the manifest",
      fix: loaded.name,
      related: [{ message: `listed as \`${loaded.name}\``, origin: loaded.reference }],
    });
  }
  const version = asLocated(member(node, "version"));
  if (version !== undefined && loaded.version !== undefined && version.text !== loaded.version) {
    scope.findings.error(
      "W204",
      `the pipeline has version \`${version.text}\`, but the manifest lists it as \`${loaded.version}\``,
      version.origin,
      {
        hint: "use the version in the manifest",
        fix: loaded.version,
        related: [{ message: `listed as version \`${loaded.version}\``, origin: loaded.reference }],
      },
    );
  }
  return [sourceOf(node, loaded.name, name?.origin ?? keyOrigin(loaded.document, "pipeline"), loaded.active, loaded.version)];
}

/** `active` must be one of `versions`. */
function checkReferences({ manifest, findings }: Scope): void {
  for (const entry of entries(member(manifest, "pipelines"))) {
    const versions = entries(member(entry.node, "versions"));
    const active = asLocated(member(entry.node, "active"));
    const labels = versions.map((version) => version.key);
    if (active !== undefined && labels.length > 0 && !labels.includes(active.text)) {
      const advice = findings.guess(active.text, labels, `known versions: ${labels.map((label) => `\`${label}\``).join(", ")}`);
      findings.error("W206", `\`${active.text}\` is not a version of \`${entry.key}\``, active.origin, advice);
    }
  }
}
