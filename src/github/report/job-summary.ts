/** The job summary: the run as a page. A summary over 1 MiB is dropped as a whole, so it is cut before that, and never within a row. Pure. */

import type { Plan } from "../../core/plan.ts";
import type { RunCommit } from "../../core/run-commit.ts";
import type { RunRecord } from "../../core/state.ts";
import { inlineCode, type Part, plainText, withinLimit } from "../../text/markdown.ts";
import { markdownText } from "../../text/markdown-text.ts";
import { contractPage, type PagePlaces } from "./contract-page.ts";
import type { KnownRun } from "./known-run.ts";
import { noteText, runPage, runText } from "./run-page.ts";

/** Of all that one step of a job writes, in bytes. */
const mostBytes = 1024 * 1024;

export interface SummaryRequest {
  /** As this job recorded it. */
  readonly run: RunRecord;
  /** The same run as all jobs know it. */
  readonly known: KnownRun;
  readonly plan: Plan;
  readonly commit: RunCommit;
  /** What follows the pipeline's name in the heading, such as ` (build, 22)`; empty if nothing does. */
  readonly job: string;
  readonly places: PagePlaces;
  /** How many bytes stand in the summary already. */
  readonly taken: number;
  /** Warnings below the table, as sentences without a stop. */
  readonly notes: readonly string[];
}

/** The page; empty where there is no room for one. */
export function jobSummary({ run, known, plan, commit, job, places, taken, notes }: SummaryRequest): string {
  const page = runPage(known, plan);
  const parts: (string | Part)[] = [
    `### ${plainText(plan.pipeline.name + job)}: ${plainText(page.title)}`,
    runText(run.id, commit),
    page.graph,
    page.table,
    ...notes.map(noteText),
    ...page.problems,
    violationsOf(run, plan, places),
  ];
  const room = mostBytes - taken - 1000;
  // Signs take up to four bytes; what is mostly letters takes one.
  for (let limit = room; limit > 200; limit = Math.floor(limit * 0.7)) {
    const text = markdownText(`${withinLimit(parts, limit)}\n`);
    if (Buffer.byteLength(text) <= room) return text;
  }
  return "";
}

function violationsOf(run: RunRecord, plan: Plan, places: PagePlaces): Part {
  const rows = plan.steps.flatMap(({ step }) => {
    const record = run.steps.find(({ id }) => id === step.id);
    if (record === undefined) return [];
    return step.contracts.flatMap((contract) =>
      contractPage(record, contract, places).annotations.map(
        ({ path, startLine, message }) =>
          `| ${inlineCode(step.id)} | ${inlineCode(contract.name)} | ${inlineCode(`${path}:${startLine}`)} | ${plainText(message)} |`,
      ),
    );
  });
  if (rows.length === 0) return { lines: [], rest: () => "" };
  return {
    lines: ["| step | contract | place | what was found |", "| --- | --- | --- | --- |", ...rows],
    rest: (count) => `… and ${count} more.`,
    whole: true,
  };
}
