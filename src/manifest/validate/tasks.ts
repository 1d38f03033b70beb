/** Checks the `{{ name }}` placeholders in tasks. `prompt/` fills them at run time. */
import type { Origin } from "../../core/document.ts";
import { parseTemplate } from "../../text/template.ts";
import { quotedList } from "./findings.ts";
import type { Located } from "./read-node.ts";
import type { Scope } from "./scope.ts";

const fixedNames = ["input", "run.id", "step.id"];

/** Reports unknown placeholders. `inputs` are the names of the step's inputs. */
export function checkTask(task: Located, inputs: readonly string[], { findings, loaded }: Scope): void {
  if (!task.text.includes("{{")) return;
  const known = [...inputs.map((name) => `inputs.${name}`), ...fixedNames];
  const counts = new Map<string, number>();
  for (const part of parseTemplate(task.text)) {
    if (part.kind !== "name") continue;
    const nth = counts.get(part.text) ?? 0;
    counts.set(part.text, nth + 1);
    if (known.includes(part.name)) continue;
    const file = loaded.files.get(task.origin.file);
    const origin = file?.kind === "text" ? placeOf(part.text, nth, task.origin, file.text) : task.origin;
    const advice = findings.guess(part.name, known, adviceOn(part.name, known));
    const fix = advice.fix === undefined || origin === task.origin ? undefined : `{{ ${advice.fix} }}`;
    const { fix: _, ...rest } = advice;
    findings.error("W308", `\`{{ ${part.name} }}\` is not a known placeholder`, origin, fix === undefined ? rest : { ...rest, fix });
  }
}

function adviceOn(name: string, known: readonly string[]): string {
  const input = /^inputs\.(.+)$/.exec(name)?.[1];
  return input === undefined
    ? `known names: ${quotedList(known)}; \`{{{{\` writes a literal \`{{\``
    : `add \`${input}\` to the step's \`inputs\``;
}

/** The position of the nth occurrence of `placeholder`. Falls back to the task if the file spells it differently. */
function placeOf(placeholder: string, nth: number, task: Origin, text: string): Origin {
  const { start, end } = task.range;
  const lines = text.split("\n");
  let left = nth;
  for (let line = start.line; line <= Math.min(end.line, lines.length); line++) {
    const content = lines[line - 1] ?? "";
    for (
      let at = content.indexOf(placeholder, line === start.line ? start.column - 1 : 0);
      at >= 0;
      at = content.indexOf(placeholder, at + 1)
    ) {
      if (left-- > 0) continue;
      return { file: task.file, range: { start: { line, column: at + 1 }, end: { line, column: at + placeholder.length + 1 } } };
    }
  }
  return task;
}
