/** `wave workspace`: where the workspace of a failed attempt lies. */
import { existsSync } from "node:fs";
import path from "node:path";
import { archivedRun } from "../store/archived-run.ts";
import { stepOf } from "../store/run-step.ts";
import { attemptDirectory, refusedFile } from "../workspace/attempt-dirs.ts";
import { disarmRepositories } from "../workspace/disarm-repositories.ts";
import {
  type Command,
  countOption,
  fail,
  flag,
  type Invocation,
  jsonOption,
  manifestOptions,
  printJson,
  textOption,
} from "./define-command.ts";
import { openProjectPast } from "./open-store.ts";

/** What lies in an attempt's directory, for those who look into it. */
const parts = ["tree", "upper", "output", "inputs", "home", "tmp", "task.md"] as const;

export const workspaceCommand: Command = {
  name: "workspace",
  summary: "Print where the workspace of a failed attempt lies",
  details:
    "Workspaces of attempts that passed are gone. Under an overlay `upper` holds what the attempt wrote, and the rest of the tree is the project's own; where trees are copied, `tree` is all of it. Git can be used in it: what a step wrote into configurations and hooks of repositories is set aside as `NAME.from-step`.",
  arguments: [{ name: "<step>", description: "a step's id" }],
  options: [
    ...manifestOptions,
    { flags: "--run <run>", description: "an id, a unique prefix, `latest`, or a pipeline's name", default: "latest" },
    { flags: "--attempt <count>", description: "one attempt of the step (default: the last that left a workspace)" },
    jsonOption,
  ],
  examples: ["wave workspace implement", 'ls "$(wave workspace implement --attempt 1)"'],
  run: workspace,
};

async function workspace(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const json = flag(invocation, "json");
  const attempt = countOption(invocation, "attempt", 10_000);
  if (typeof attempt === "object") return fail(io, attempt, { json });
  const opened = await openProjectPast(invocation);
  if (!opened.ok) return fail(io, opened.error, { json });
  const { store } = opened.value;
  const run = await store.state.findRun(textOption(invocation, "run") ?? "latest");
  if (!run.ok) return fail(io, run.error, { json });
  const id = invocation.arguments[0] ?? "";
  const step = stepOf(run.value, id);
  if (!step.ok) return fail(io, step.error, { json });
  // A running attempt's files are still its own.
  const ended = step.value.attempts.filter(({ status }) => status !== "running");
  const attempts = ended.map((record) => record.attempt).filter((number) => attempt === undefined || number === attempt);
  const directories = attempts.map((number) => attemptDirectory(store.stateDir, run.value.id, id, number)).filter(existsSync);
  const directory = directories.at(-1);
  if (directory === undefined) {
    if (run.value.archived === true) return fail(io, archivedRun(run.value.id, "its workspaces"), { json });
    const message = `step \`${id}\` of run ${run.value.id} left no workspace`;
    return fail(io, { reason: "usage", message, hint: "only attempts that failed leave theirs" }, { json });
  }
  try {
    // A run that was killed left its workspaces as its steps did.
    await disarmRepositories(directory);
  } catch (error) {
    return fail(io, refusedFile(error), { json });
  }
  const found = Object.fromEntries(parts.map((part) => [part, path.join(directory, part)]).filter(([, place]) => existsSync(place ?? "")));
  if (json) printJson(io, { ok: true, run: run.value.id, step: id, directory, parts: found });
  else io.stdout.writeData(`${directory}\n`);
  return 0;
}
