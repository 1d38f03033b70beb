/** Sets the Action's outputs, which `action.yml` declares. */

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setOutput } from "@actions/core";
import { defined } from "../core/defined.ts";
import type { Digest } from "../core/digest.ts";
import type { RunRecord } from "../core/state.ts";
import { jsonText } from "../text/json-text.ts";

export interface RunOutputs {
  readonly run: RunRecord;
  /** Whether results of an earlier attempt, job or workflow run were used. */
  readonly resumed: boolean;
  /** The Actions artifact that contains a blob; undefined if there is none. */
  readonly nameOf: (digest: Digest) => string | undefined;
  readonly temp: string;
  readonly warn: (text: string) => void;
}

/** Maximum length of an output, in characters. The service drops larger ones. */
const maxLength = 500_000;

/** Sets all outputs of `run` and `resume`, and writes the report. Rejects on an I/O error. */
export async function setRunOutputs({ run, resumed, nameOf, temp, warn }: RunOutputs): Promise<void> {
  setOutput("run-id", run.id);
  setOutput("status", run.status);
  setOutput("resumed", String(resumed));
  for (const [name, entries] of [
    ["steps", stepsOf(run)],
    ["artifacts", artifactsOf(run, nameOf)],
  ] as const) {
    const { text, omitted } = outputText(entries);
    setOutput(name, text);
    if (omitted > 0)
      warn(`The output \`${name}\` is too long: ${omitted} of its entries are only in the file named by the output \`report\`.`);
  }
  await setReport(temp, `run-${run.id}.json`, `${jsonText({ ok: run.status === "passed", run })}\n`);
}

/** Writes a file for later steps of the job, and sets the output `report` to its path. */
export async function setReport(temp: string, name: string, text: string): Promise<void> {
  const file = path.join(temp, name);
  await writeFile(file, text);
  setOutput("report", file);
}

type Entries = readonly (readonly [key: string, value: unknown])[];

function stepsOf({ steps }: RunRecord): Entries {
  return steps.map(({ id, status, attempts, reusedFrom }) => [id, { status, attempts: attempts.length, reused: reusedFrom !== undefined }]);
}

/** Artifacts by name. If several steps have the name, it means the last one's, and each has the key `STEP/NAME` too. */
function artifactsOf({ steps }: RunRecord, nameOf: RunOutputs["nameOf"]): Entries {
  const passed = steps.filter(({ status }) => status === "passed");
  const all = passed.flatMap((step) => step.artifacts.map((artifact) => ({ step: step.id, ...artifact })));
  const last = new Map(all.map((artifact) => [artifact.name, artifact]));
  const counts = new Map<string, number>();
  for (const { name } of all) counts.set(name, (counts.get(name) ?? 0) + 1);
  return all.flatMap((artifact) => {
    const { step, name, digest, size, mediaType } = artifact;
    const uploaded = nameOf(digest);
    const value = { step, digest, size, mediaType, ...defined({ name: uploaded }) };
    return [
      ...(last.get(name) === artifact ? [[name, value] as const] : []),
      ...((counts.get(name) ?? 0) > 1 ? [[`${step}/${name}`, value] as const] : []),
    ];
  });
}

/** Cannot collide: no step or artifact has a name that starts with a slash. */
const omittedKey = "/omitted";

/** As many entries as fit, as JSON. `/omitted` counts the others. */
export function outputText(entries: Entries): { readonly text: string; readonly omitted: number } {
  let room = maxLength - jsonText({ [omittedKey]: entries.length }).length;
  const kept = entries.findIndex(([key, value]) => {
    room -= jsonText({ [key]: value }).length;
    return room < 0;
  });
  const omitted = kept < 0 ? 0 : entries.length - kept;
  const shown = Object.fromEntries(kept < 0 ? entries : entries.slice(0, kept));
  return { text: jsonText(omitted === 0 ? shown : { ...shown, [omittedKey]: omitted }), omitted };
}
