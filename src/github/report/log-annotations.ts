/** Writes violations as workflow commands if check runs cannot be written. A runner shows ten per level, of up to 4,096 characters. */
import type { CheckAnnotation } from "../../core/github.ts";
import type { Plan } from "../../core/plan.ts";
import type { RunRecord } from "../../core/state.ts";
import { workflowCommand } from "../../text/workflow-command.ts";
import { contractPage, type PagePlaces } from "./contract-page.ts";

const limits = { lines: 9, characters: 4000 } as const;

/** Annotations of all contracts as lines for the log. The last line counts the omitted ones. */
export function logAnnotations(run: RunRecord, plan: Plan, places: PagePlaces): string {
  const annotations = plan.steps.flatMap(({ step }) => {
    const record = run.steps.find(({ id }) => id === step.id);
    return record === undefined ? [] : step.contracts.flatMap((contract) => contractPage(record, contract, places).annotations);
  });
  return annotationCommands(annotations);
}

/** Formats annotations as lines for the log. The last line counts the omitted ones. */
export function annotationCommands(annotations: readonly CheckAnnotation[]): string {
  const commands = annotations.slice(0, limits.lines).map(({ path, startLine, startColumn, title, level, message }) => {
    const properties = { file: path, line: startLine, col: startColumn, title };
    return workflowCommand(level === "failure" ? "error" : level, properties, message.slice(0, limits.characters));
  });
  const omitted = annotations.length - commands.length;
  const rest = omitted > 0 ? [workflowCommand("error", { title: "Wave" }, `${omitted} more in the job summary.`)] : [];
  return [...commands, ...rest].map((command) => `${command}\n`).join("");
}
