/** `wave plan`: shows what a run would do. */
import { defined } from "../core/defined.ts";
import { hasErrors } from "../core/diagnostic.ts";
import type { Plan } from "../core/plan.ts";
import type { Redactor } from "../core/ports.ts";
import { ok, type Result } from "../core/result.ts";
import { withBlocks } from "../engine/blocked-steps.ts";
import { fileTextOf } from "../engine/open-project.ts";
import { type PlannedRun, planRun } from "../engine/plan-run.ts";
import { promptOfStep } from "../engine/show-prompt.ts";
import { renderPlan } from "../reporters/console/render-plan.ts";
import { planDocument } from "../reporters/console/render-plan-document.ts";
import { adapterOption, type CommandContext, type CommandOutput, defineCommand, printDiagnostics } from "./define-command.ts";
import { inputOptions, readInput } from "./run-input.ts";

const formats = ["tree", "json", "mermaid", "dot"] as const;

export const planCommand = defineCommand({
  name: "plan",
  summary: "Show what a run would do: order, waits, contracts, permissions and reuse",
  details: "With --detailed-exitcode, exits with 0 if every step has a cached result and with 3 if steps would run.",
  args: [{ name: "[pipeline]", description: "NAME or NAME@VERSION, if the manifest has several" }],
  options: [
    adapterOption,
    ...inputOptions,
    { flags: "--format <format>", description: "output format", choices: formats, default: "tree" },
    { flags: "--detailed-exitcode", description: "exit with 3 if steps would run" },
    { flags: "--show-prompt <step>", description: "print only the prompt of this step" },
  ],
  examples: ["wave plan", "wave plan --format mermaid", "wave plan --detailed-exitcode --json"],
  run: async (context) => {
    const { io, args, text, flag, request } = context;
    const [pipeline] = args;
    const input = await readInput(context);
    if (!input.ok) return input;
    const planned = await planRun({ project: request, ...defined({ pipeline, input: input.value }) }, () => true);
    if (!planned.ok) return planned;
    const step = text("showPrompt");
    if (step !== undefined) return showPrompt(context, planned.value, { step, input: input.value });
    const { plan, read, project, store } = planned.value;
    const blocked = await withBlocks(plan, { state: store.state, files: project.contractFiles });
    if (!blocked.ok) return blocked;
    const warnings = read.diagnostics.filter((diagnostic) => !hasErrors([diagnostic]));
    printDiagnostics(io, warnings, fileTextOf(read.loaded));
    const format = formats.find((known) => known === text("format")) ?? "tree";
    const isTree = format === "tree" || format === "json";
    return ok({
      ...(context.json ? { json: planDocument(blocked.value), indent: 2 } : {}),
      ...(isTree
        ? { text: ({ color }) => renderPlan(redacted(blocked.value, store.redactor), { format: "tree", color }) }
        : { data: store.redactor.text(renderPlan(blocked.value, { format, color: false })) }),
      code: flag("detailedExitcode") && plan.steps.some(({ work }) => work.kind !== "equal") ? 3 : 0,
    });
  },
});

async function showPrompt(
  { io }: CommandContext,
  planned: PlannedRun,
  { step, input }: { readonly step: string; readonly input: string | undefined },
): Promise<Result<CommandOutput>> {
  const prompt = await promptOfStep(planned, step, input);
  if (!prompt.ok) return prompt;
  const { text, unknown } = prompt.value;
  for (const { name, from } of unknown)
    io.stderr.write(`\`${name}\` does not exist yet (step \`${from}\` makes it); its size and digest are placeholders\n`);
  return ok({ json: { ok: true, step, prompt: text, unknown }, data: planned.store.redactor.text(text) });
}

/** Without secrets in tasks. The tree shortens long tasks, and a shortened secret would not be found. */
function redacted(plan: Plan, redactor: Redactor): Plan {
  const steps = plan.steps.map((planned) => {
    const { task } = planned.step;
    return task === undefined ? planned : { ...planned, step: { ...planned.step, task: redactor.text(task) } };
  });
  return { ...plan, steps };
}
