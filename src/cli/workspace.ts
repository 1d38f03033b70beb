/** `wave workspace`: prints the directory of a failed attempt's workspace. */
import { ok } from "../core/result.ts";
import { findWorkspace } from "../engine/find-workspace.ts";
import { defineCommand } from "./define-command.ts";

export const workspaceCommand = defineCommand({
  name: "workspace",
  summary: "Print the directory of a failed attempt's workspace",
  details:
    "Workspaces of attempts that passed are removed. With overlays, `upper` contains the files that the attempt wrote and the other files are the project's own; with copies, `tree` contains all files. You can use git in the workspace: configuration and hooks that a step wrote to repositories are renamed to `NAME.from-step`.",
  args: [{ name: "<step>", description: "a step's id" }],
  options: [
    { flags: "--run <run>", description: "an id, a unique prefix, `latest`, or a pipeline's name", default: "latest" },
    { flags: "--attempt <number>", description: "this attempt of the step (default: the last with a workspace)", max: 10_000 },
  ],
  examples: ["wave workspace implement", 'ls "$(wave workspace implement --attempt 1)"'],
  run: async ({ request, args: [step = ""], text, count }) => {
    const found = await findWorkspace(request, { selector: text("run") ?? "latest", step, attempt: count("attempt") });
    if (!found.ok) return found;
    const { run, directory, parts } = found.value;
    return ok({ json: { ok: true, run, step, directory, parts }, data: `${directory}\n` });
  },
});
