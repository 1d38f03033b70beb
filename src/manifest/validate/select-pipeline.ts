/** Selects a pipeline by NAME or NAME@VERSION. */
import type { ValidatedProject } from "../../core/loaded.ts";
import type { Pipeline } from "../../core/pipeline.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { closest } from "../../text/suggest.ts";

/**
 * Returns the selected pipeline, or the only one without a selector. NAME selects the active version. Fails with `usage` if the name or version is
 * unknown, or if there is no selector and the project has several pipelines.
 */
export function selectPipeline(project: ValidatedProject, selector?: string): Result<Pipeline> {
  const names = [...new Set(project.pipelines.map(({ pipeline }) => pipeline.name))];
  const [only] = names;
  if (only === undefined) return err({ reason: "usage", message: "the manifest has no pipeline" });
  if (selector === undefined) {
    if (names.length > 1)
      return err({ reason: "usage", message: "the manifest has several pipelines", hint: `choose one: ${names.join(", ")}` });
    return byName(project, only);
  }
  const at = selector.indexOf("@");
  const name = at < 0 ? selector : selector.slice(0, at);
  if (!names.includes(name)) return err({ reason: "usage", message: `there is no pipeline \`${name}\``, hint: suggestion(name, names) });
  return at < 0 ? byName(project, name) : byVersion(project, name, selector.slice(at + 1));
}

function byName(project: ValidatedProject, name: string): Result<Pipeline> {
  const found = project.pipelines.find(({ pipeline, active }) => active && pipeline.name === name);
  if (found !== undefined) return ok(found.pipeline);
  return err({
    reason: "usage",
    message: `the pipeline \`${name}\` has no active version`,
    hint: `choose one: ${versionsOf(project, name)
      .map((version) => `${name}@${version}`)
      .join(", ")}`,
  });
}

function byVersion(project: ValidatedProject, name: string, version: string): Result<Pipeline> {
  const found = project.pipelines.find(({ pipeline }) => pipeline.name === name && pipeline.version === version);
  if (found !== undefined) return ok(found.pipeline);
  const versions = versionsOf(project, name);
  const hint = versions.length === 0 ? "it has no versions; remove the `@`" : suggestion(version, versions);
  return err({ reason: "usage", message: `the pipeline \`${name}\` has no version \`${version}\``, hint });
}

function versionsOf(project: ValidatedProject, name: string): string[] {
  return project.pipelines.flatMap(({ pipeline }) => (pipeline.name === name ? (pipeline.version ?? []) : []));
}

function suggestion(word: string, known: readonly string[]): string {
  const guess = closest(word, known);
  return guess === undefined ? `known: ${known.join(", ")}` : `did you mean \`${guess}\`?`;
}
