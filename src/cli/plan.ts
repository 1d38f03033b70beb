/** `wave plan`: what a run would do, and why. */

import { defined } from "../core/defined.ts";
import { hasErrors } from "../core/diagnostic.ts";
import type { Plan } from "../core/plan.ts";
import type { Redactor } from "../core/ports.ts";
import { withBlocks } from "../engine/blocked-steps.ts";
import { fileTextOf } from "../engine/open-project.ts";
import { planRun } from "../engine/plan-run.ts";
import { promptOf } from "../engine/show-prompt.ts";
import { systemClock } from "../platform/clock.ts";
import { renderPlan } from "../reporters/console/render-plan.ts";
import { planDocument } from "../reporters/console/render-plan-document.ts";
import {
  adapterOption,
  type Command,
  fail,
  flag,
  type Invocation,
  jsonOption,
  manifestOptions,
  printJson,
  textOption,
  warn,
} from "./define-command.ts";
import { manifestTexts } from "./manifest-texts.ts";
import { projectRequest } from "./project-request.ts";
import { inputOptions, readInput } from "./run-input.ts";

const formats = ["tree", "json", "mermaid", "dot"] as const;

export const planCommand: Command = {
  name: "plan",
  summary: "Show what a run would do: order, waits, contracts, permissions, what is reused",
  details: "With --detailed-exitcode: 0 when equal work exists for every step, 3 when there is work to do.",
  arguments: [{ name: "[pipeline]", description: "NAME or NAME@VERSION, where the manifest has several" }],
  options: [
    ...manifestOptions,
    adapterOption,
    ...inputOptions,
    { flags: "--format <format>", description: "how the plan is printed", choices: formats, default: "tree" },
    { ...jsonOption, description: "the same as --format json" },
    { flags: "--detailed-exitcode", description: "exit 3 when there is work to do" },
    { flags: "--show-prompt <step>", description: "print what the persona of a step would be told, and nothing else" },
  ],
  examples: ["wave plan", "wave plan --format mermaid", "wave plan --detailed-exitcode --json"],
  run: plan,
};

async function plan(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const format = flag(invocation, "json") ? "json" : (formats.find((known) => known === textOption(invocation, "format")) ?? "tree");
  const input = await readInput(invocation);
  if (!input.ok) return fail(io, input.error, { json: format === "json" });
  const pipeline = invocation.arguments[0];
  const request = {
    ...projectRequest(invocation),
    ...defined({ pipeline, input: input.value }),
  };
  const planned = await planRun(request, () => true);
  if (!planned.ok) return fail(io, planned.error, { json: format === "json", fileText: manifestTexts(request) });
  const shown = textOption(invocation, "showPrompt");
  if (shown !== undefined) {
    const prompt = await promptOf(planned.value, shown, input.value);
    if (!prompt.ok) return fail(io, prompt.error, { json: format === "json" });
    const { text, unknown } = prompt.value;
    for (const { name, from } of unknown)
      io.stderr.write(`input \`${name}\` is known when step \`${from}\` has run: its size and digest stand for themselves\n`);
    if (format === "json") printJson(io, { ok: true, step: shown, prompt: text, unknown });
    else io.stdout.writeData(planned.value.store.redactor.text(text));
    return 0;
  }
  const { read, project, store } = planned.value;
  const blocked = await withBlocks(planned.value.plan, { state: store.state, files: project.contractFiles, clock: systemClock });
  if (!blocked.ok) return fail(io, blocked.error, { json: format === "json" });
  warn(
    io,
    read.diagnostics.filter((diagnostic) => !hasErrors([diagnostic])),
    fileTextOf(read.loaded),
  );
  if (format === "json") printJson(io, planDocument(blocked.value), 2);
  else if (format === "tree")
    io.stdout.write(renderPlan(withoutSecrets(blocked.value, store.redactor), { format, color: io.stdout.color }));
  else io.stdout.writeData(store.redactor.text(renderPlan(blocked.value, { format, color: false })));
  const work = planned.value.plan.steps.some((step) => step.work.kind !== "equal");
  return flag(invocation, "detailedExitcode") && work ? 3 : 0;
}

/** The tree cuts long tasks; cut, a secret would not be found any more. */
function withoutSecrets(plan: Plan, redactor: Redactor): Plan {
  const steps = plan.steps.map((planned) => {
    const { task } = planned.step;
    return task === undefined ? planned : { ...planned, step: { ...planned.step, task: redactor.text(task) } };
  });
  return { ...plan, steps };
}
