/**
 * The `test_suite` contract: a command passes in the step's workspace. Its exit status is the verdict; what it prints goes to
 * the attempt's log, and its end into the result. It sees where inputs and output lie and which attempt it judges, as the step's
 * child does; it gets no secrets and nothing of the step's `env`.
 */
import path from "node:path";
import type { Violation } from "../../core/failure.ts";
import { describeFailure } from "../../core/failures.ts";
import type { TestSuiteContract } from "../../core/pipeline.ts";
import type { ContractContext, ContractOutcome, ContractType, SpawnOutcome } from "../../core/ports.ts";
import { unreachable } from "../../core/result.ts";
import { unlisted } from "../../core/violation-count.ts";
import { formatDuration, formatSizes } from "../../text/quantity.ts";
import { restoredFiles } from "../protected.ts";
import { type FoundPlaces, sourceLines } from "./source-locations.ts";

/** Files that are looked for, and their size in bytes. */
const mostFiles = 500;
const largestSource = 5e6;

/** How much of a command's output a result keeps, in bytes. */
const tailLimit = 4096;

/** Checks and evaluates `test_suite` contracts. */
export const testSuiteContract: ContractType = {
  type: "test_suite",
  check: async (contract) => {
    if (contract.type !== "test_suite" || programOf(contract.command).trim() !== "") return [];
    return [
      {
        message: `the contract \`${contract.name}\` has an empty command`,
        hint: "write a program and its arguments as a list, or a shell command as a string",
      },
    ];
  },
  verify: async (context) =>
    context.contract.type === "test_suite"
      ? verify(context, context.contract)
      : { verdict: "error", violations: [{ message: "this is no test_suite contract" }] },
};

async function verify(context: ContractContext, contract: TestSuiteContract): Promise<ContractOutcome> {
  const restore = await restoredFiles(context, contract.protect);
  if (!restore.ok) {
    const { title, detail } = describeFailure(restore.error);
    return {
      verdict: "error",
      violations: [{ message: `protected files cannot be restored: ${[title, ...detail].join(": ")}`, rule: "protect" }],
    };
  }
  const tail = keepTail();
  const places = sourceLines((file) => insideOf(context.workspace.paths.root, file));
  const outcome = await context.workspace.spawn({
    command: contract.command,
    env: environmentOf(context),
    timeoutMs: contract.timeoutMs,
    signal: context.signal,
    role: "contract",
    network: contract.network,
    ...(restore.value.size === 0 ? {} : { restore: restore.value }),
    onOutput: (chunk, stream) => {
      context.log.write(chunk, stream);
      tail.push(chunk);
      places.push(chunk, stream);
    },
  });
  const printed = tail.text();
  const judged = judge(outcome, commandText(contract.command));
  const located = judged.verdict === "fail" ? await existing(context, places.found()) : [];
  return { ...judged, violations: [...judged.violations, ...located], ...(printed === "" ? {} : { tail: printed }) };
}

/** A path as the project has it; nothing for one outside. */
function insideOf(root: string, file: string): string | undefined {
  const relative = path.posix.isAbsolute(file) ? path.posix.relative(root, file) : path.posix.normalize(file);
  return relative === "" || relative === ".." || relative.startsWith("../") ? undefined : relative;
}

/** The places whose file the workspace has. Other files belong to a library, or are no files at all. */
async function existing({ workspace }: ContractContext, { places, omitted }: FoundPlaces): Promise<readonly Violation[]> {
  const known = new Map<string, boolean>();
  const exists = async (file: string) => {
    const before = known.get(file);
    if (before !== undefined || known.size >= mostFiles) return before === true;
    const found = (await workspace.read("root", file, largestSource)).ok;
    known.set(file, found);
    return found;
  };
  const located: Violation[] = [];
  for (const { message, rule, candidates } of places) {
    for (const location of candidates) {
      if (!(await exists(location.file))) continue;
      located.push({ message, location, rule });
      break;
    }
  }
  let more = 0;
  for (const [file, count] of omitted) if (await exists(file)) more += count;
  return more === 0 ? located : [...located, unlisted(more)];
}

function environmentOf({ workspace, step, attempt }: ContractContext): Record<string, string> {
  return {
    WAVE_INPUTS_DIR: workspace.paths.inputs,
    WAVE_OUTPUT_DIR: workspace.paths.output,
    WAVE_RUN_ID: attempt.runId,
    WAVE_STEP_ID: step.id,
    WAVE_ATTEMPT: String(attempt.number),
  };
}

function judge(outcome: SpawnOutcome, command: string): ContractOutcome {
  const not = (verdict: "fail" | "error", what: string, rule: string): ContractOutcome => ({
    verdict,
    violations: [{ message: `\`${command}\` ${what}`, rule }],
  });
  switch (outcome.kind) {
    case "exited":
      return outcome.code === 0 ? { verdict: "pass", violations: [] } : not("fail", `exited with ${outcome.code}`, "exit");
    case "timed-out":
      return not("fail", `took longer than ${formatDuration(outcome.limitMs)}`, "timeout");
    case "killed":
      return not("fail", `was killed by ${outcome.signal}`, "signal");
    case "memory-exceeded":
      return not("fail", limitText("memory", outcome.peakBytes, outcome.limitBytes), "memory");
    case "disk-exceeded":
      return not("fail", limitText("disk space", outcome.usedBytes, outcome.limitBytes), "disk");
    case "not-started":
      return not("error", `could not be started: ${outcome.detail} (${outcome.code})`, "start");
    case "unprepared": {
      const { title, detail } = describeFailure(outcome.failure);
      return not("error", `could not be started: ${[title, ...detail].join(": ")}`, "start");
    }
    case "cancelled":
      return not("error", "was cancelled", "cancelled");
    default:
      return unreachable(outcome);
  }
}

function programOf(command: readonly string[] | string): string {
  return typeof command === "string" ? command : (command[0] ?? "");
}

function commandText(command: readonly string[] | string): string {
  const text =
    typeof command === "string" ? command : command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(" ");
  const [line = ""] = text.trim().split("\n");
  return line.length < text.trim().length || line.length > 200 ? `${line.slice(0, 200)} ...` : line;
}

/** Holds the last `tailLimit` bytes; text that is not UTF-8 shows replacement characters, and a cut line is left out. */
function keepTail(): { push(chunk: Uint8Array): void; text(): string } {
  let held = Buffer.alloc(0);
  let cut = false;
  return {
    push(chunk) {
      cut ||= held.length + chunk.length > tailLimit;
      held = Buffer.concat([held, chunk.subarray(-tailLimit)]).subarray(-tailLimit);
    },
    text() {
      const text = held.toString("utf8");
      const firstLine = text.indexOf("\n");
      return (cut && firstLine !== -1 && firstLine < text.length - 1 ? text.slice(firstLine + 1) : text).trimEnd();
    },
  };
}

/** A peak of memory can equal its limit: the kernel ends the process that asks for more. */
function limitText(what: string, used: number, limit: number): string {
  const [shownUsed, shownLimit] = formatSizes(used, limit);
  return used > limit
    ? `used ${shownUsed} of ${what}, more than the limit of ${shownLimit}`
    : `reached the limit of ${shownLimit} of ${what}`;
}
