/** What contracts found, as workflow commands, where check runs cannot be written. A runner shows ten of a level, of 4,096 characters each. */
import type { CheckAnnotation } from "../../core/github.ts";
import type { Plan } from "../../core/plan.ts";
import type { RunRecord } from "../../core/state.ts";
import { workflowCommand } from "../../text/workflow-command.ts";
import { contractPage, type PagePlaces } from "./contract-page.ts";

const limits = { lines: 9, characters: 4000 } as const;

/** Lines for the log, each ending in a line feed; the last one counts what is left out. */
export function logAnnotations(run: RunRecord, plan: Plan, places: PagePlaces): string {
  const annotations = plan.steps.flatMap(({ step }) => {
    const record = run.steps.find(({ id }) => id === step.id);
    return record === undefined ? [] : step.contracts.flatMap((contract) => contractPage(record, contract, places).annotations);
  });
  return annotationCommands(annotations);
}

/** Annotations as lines for the log, as `logAnnotations` writes them. */
export function annotationCommands(annotations: readonly CheckAnnotation[]): string {
  const commands = annotations.slice(0, limits.lines).map(({ path, startLine, startColumn, title, level, message }) => {
    const place = { file: path, line: startLine, col: startColumn, title };
    return workflowCommand(level === "failure" ? "error" : level, place, message.slice(0, limits.characters));
  });
  const left = annotations.length - commands.length;
  const rest = left > 0 ? [workflowCommand("error", { title: "Wave" }, `${left} more: the job summary has them.`)] : [];
  return [...commands, ...rest].map((command) => `${command}\n`).join("");
}
