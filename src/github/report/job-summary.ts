/** Renders the job summary. GitHub drops a summary above 1 MiB, so it is cut to that size, between rows. Pure. */

import type { Plan } from "../../core/plan.ts";
import type { RunCommit } from "../../core/run-commit.ts";
import type { RunRecord } from "../../core/state.ts";
import { inlineCode, type Part, plainText, withinLimit } from "../../text/markdown.ts";
import { markdownText } from "../../text/markdown-text.ts";
import { contractPage, type PagePlaces } from "./contract-page.ts";
import type { KnownRun } from "./known-run.ts";
import { noteText, runPage, runText } from "./run-page.ts";

/** GitHub's limit for the summary of one job step, in bytes. */
const maxBytes = 1024 * 1024;

export interface SummaryRequest {
  /** The run as this job recorded it. */
  readonly run: RunRecord;
  /** The run with the results of all jobs. */
  readonly known: KnownRun;
  readonly plan: Plan;
  readonly commit: RunCommit;
  /** Suffix of the pipeline's name in the heading, such as ` (build, 22)`; can be empty. */
  readonly job: string;
  readonly places: PagePlaces;
  /** Current size of the summary, in bytes. */
  readonly taken: number;
  /** Warnings below the table, as sentences without a full stop. */
  readonly notes: readonly string[];
}

/** The page as Markdown; empty if there is no room for it. */
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
  const room = maxBytes - taken - 1000;
  // Limits are in characters, which take one to four bytes each.
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
    lines: ["| step | contract | location | violation |", "| --- | --- | --- | --- |", ...rows],
    rest: (count) => `… and ${count} more.`,
    whole: true,
  };
}
