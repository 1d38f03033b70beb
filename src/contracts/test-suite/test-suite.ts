/**
 * The `test_suite` contract: runs a command in the step's workspace, whose exit status is the verdict. Its output goes to the
 * attempt's log, and the end of it into the result. The command gets the variables for inputs, output and attempt, but no
 * secrets and not the step's `env`.
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
import { type FoundLocations, sourceLines } from "./source-locations.ts";

/** Maximum number of files whose existence is checked, and their maximum size in bytes. */
const maxFiles = 500;
const maxSource = 5e6;

/** Maximum size of the output in a result, in bytes. */
const tailLimit = 4096;

/** The `test_suite` contract type. */
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
      : { verdict: "error", violations: [{ message: "this is not a test_suite contract" }] },
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
  const printedLocations = sourceLines((file) => insideOf(context.workspace.paths.root, file));
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
      printedLocations.push(chunk, stream);
    },
  });
  const printed = tail.text();
  const verdict = verdictOf(outcome, commandText(contract.command));
  const located = verdict.verdict === "fail" ? await existing(context, printedLocations.found()) : [];
  return { ...verdict, violations: [...verdict.violations, ...located], ...(printed === "" ? {} : { tail: printed }) };
}

/** The path relative to `root`. Undefined for a path outside it. */
function insideOf(root: string, file: string): string | undefined {
  const relative = path.posix.isAbsolute(file) ? path.posix.relative(root, file) : path.posix.normalize(file);
  return relative === "" || relative === ".." || relative.startsWith("../") ? undefined : relative;
}

/** Keeps the locations whose file exists in the workspace. Others belong to a library or are not files. */
async function existing({ workspace }: ContractContext, { locations, omitted }: FoundLocations): Promise<readonly Violation[]> {
  const cache = new Map<string, boolean>();
  const exists = async (file: string) => {
    const cached = cache.get(file);
    if (cached !== undefined || cache.size >= maxFiles) return cached === true;
    const isFile = (await workspace.read("root", file, maxSource)).ok;
    cache.set(file, isFile);
    return isFile;
  };
  const located: Violation[] = [];
  for (const { message, rule, candidates } of locations) {
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

function verdictOf(outcome: SpawnOutcome, command: string): ContractOutcome {
  const failed = (verdict: "fail" | "error", text: string, rule: string): ContractOutcome => ({
    verdict,
    violations: [{ message: `\`${command}\` ${text}`, rule }],
  });
  switch (outcome.kind) {
    case "exited":
      return outcome.code === 0 ? { verdict: "pass", violations: [] } : failed("fail", `exited with ${outcome.code}`, "exit");
    case "timed-out":
      return failed("fail", `took longer than ${formatDuration(outcome.limitMs)}`, "timeout");
    case "killed":
      return failed("fail", `was killed by ${outcome.signal}`, "signal");
    case "memory-exceeded":
      return failed("fail", limitText("memory", outcome.peakBytes, outcome.limitBytes), "memory");
    case "disk-exceeded":
      return failed("fail", limitText("disk space", outcome.usedBytes, outcome.limitBytes), "disk");
    case "not-started":
      return failed("error", `could not be started: ${outcome.detail} (${outcome.code})`, "start");
    case "unprepared": {
      const { title, detail } = describeFailure(outcome.failure);
      return failed("error", `could not be started: ${[title, ...detail].join(": ")}`, "start");
    }
    case "cancelled":
      return failed("error", "was cancelled", "cancelled");
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

/** Keeps the last `tailLimit` bytes. Replaces invalid UTF-8, and drops an incomplete first line. */
function keepTail(): { push(chunk: Uint8Array): void; text(): string } {
  let kept = Buffer.alloc(0);
  let cut = false;
  return {
    push(chunk) {
      cut ||= kept.length + chunk.length > tailLimit;
      kept = Buffer.concat([kept, chunk.subarray(-tailLimit)]).subarray(-tailLimit);
    },
    text() {
      const text = kept.toString("utf8");
      const firstLine = text.indexOf("\n");
      return (cut && firstLine !== -1 && firstLine < text.length - 1 ? text.slice(firstLine + 1) : text).trimEnd();
    },
  };
}

/** The memory peak can equal the limit, because the kernel stops the process before it exceeds it. */
function limitText(resource: string, used: number, limit: number): string {
  const [shownUsed, shownLimit] = formatSizes(used, limit);
  return used > limit
    ? `used ${shownUsed} of ${resource}, more than the limit of ${shownLimit}`
    : `reached the limit of ${shownLimit} of ${resource}`;
}
