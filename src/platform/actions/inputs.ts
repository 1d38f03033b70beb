/** Reads and validates the Action's inputs, which `action.yml` declares. */
import { getInput } from "@actions/core";
import { defined } from "../../core/defined.ts";
import type { Failure } from "../../core/failure.ts";
import { closest } from "../../text/suggest.ts";

export const jobCommands = ["run", "plan", "validate", "resume", "status", "trace", "cleanup", "test"] as const;

export interface JobInputs {
  readonly command: (typeof jobCommands)[number];
  readonly pipeline?: string;
  readonly input?: string;
  readonly files: readonly string[];
  readonly environment?: string;
  readonly adapter?: string;
  readonly concurrency?: number;
  readonly onFailure: "finish" | "stop" | "keep-going";
  readonly token?: string;
  /** Defaults to all steps. */
  readonly steps?: readonly string[];
  readonly reuse: "auto" | "true" | "false";
  readonly apply: "auto" | "true" | "false";
  readonly checks: "contract" | "pipeline" | "none";
  readonly comment: boolean;
  /** `auto`, `never` or a run's id. */
  readonly resume: string;
  readonly cache: boolean;
  readonly artifacts: boolean;
  readonly retentionDays?: number;
  readonly matrixKey: string;
  /** Part of the run's identity; defaults to an empty string. */
  readonly runKey: string;
  /** The secret that signs journal lines. */
  readonly stateKey?: string;
  readonly workingDirectory: string;
  readonly onRefusal: "neutral" | "fail";
  readonly trustedBots: readonly string[];
  readonly allowPullRequestTarget: boolean;
}

const truth = ["true", "false"] as const;
const automatic = ["auto", "true", "false"] as const;

/**
 * Reads all inputs. `problem` is a `usage` failure with the first invalid input and its valid values; undefined if all are valid. An
 * invalid input gets its default, so that the job can report the problem.
 */
export function readJobInputs(): { readonly inputs: JobInputs; readonly problem?: Failure } {
  const problems: Failure[] = [];
  const choice = <T extends string>(name: string, choices: readonly T[], otherwise: T): T => {
    const given = getInput(name);
    const found = given === "" ? otherwise : choices.find((one) => one === given);
    if (found === undefined) problems.push(refusal(name, given, `one of ${choices.join(", ")}`, closest(given, choices)));
    return found ?? otherwise;
  };
  const count = (name: string, max: number): number | undefined => {
    const given = getInput(name);
    if (given === "") return undefined;
    const value = /^\d+$/.test(given) ? Number(given) : 0;
    if (value >= 1 && value <= max) return value;
    problems.push(refusal(name, given, `a whole number from 1 to ${max}`));
    return undefined;
  };
  const concurrency = count("concurrency", 256);
  const retentionDays = count("retention-days", 90);
  const steps = listed("steps");
  const inputs: JobInputs = {
    command: choice("command", jobCommands, "run"),
    ...optional("pipeline", getInput("pipeline")),
    ...optional("input", getInput("input", { trimWhitespace: false })),
    files: lines("file"),
    ...optional("environment", getInput("env")),
    ...optional("adapter", getInput("adapter")),
    ...defined({ concurrency }),
    onFailure: choice("on-failure", ["finish", "stop", "keep-going"], "finish"),
    ...optional("token", getInput("github-token")),
    ...(steps.length === 0 ? {} : { steps }),
    reuse: choice("reuse", automatic, "auto"),
    apply: choice("apply", automatic, "auto"),
    checks: choice("checks", ["contract", "pipeline", "none"], "contract"),
    comment: choice("comment", truth, "false") === "true",
    resume: getInput("resume") || "auto",
    cache: choice("cache", truth, "true") === "true",
    artifacts: choice("artifacts", truth, "true") === "true",
    ...defined({ retentionDays }),
    matrixKey: getInput("matrix-key"),
    runKey: getInput("run-key"),
    ...optional("stateKey", getInput("state-key")),
    workingDirectory: getInput("working-directory") || ".",
    onRefusal: choice("on-refusal", ["neutral", "fail"], "neutral"),
    trustedBots: listed("trusted-bots"),
    allowPullRequestTarget: choice("allow-pull-request-target", truth, "false") === "true",
  };
  const [first] = problems;
  return { inputs, ...defined({ problem: first }) };
}

function refusal(name: string, given: string, takes: string, guess?: string): Failure {
  const hint = guess === undefined ? {} : { hint: `did you mean \`${guess}\`?` };
  return { reason: "usage", message: `input \`${name}\` takes ${takes}, not \`${given}\``, ...hint };
}

function lines(name: string): string[] {
  return getInput(name)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function listed(name: string): string[] {
  const items = getInput(name)
    .split(/[,\n]/)
    .map((item) => item.trim());
  return [...new Set(items)].filter((item) => item !== "");
}

function optional<N extends string>(name: N, value: string): { readonly [K in N]?: string } {
  return value === "" ? {} : ({ [name]: value } as { readonly [K in N]?: string });
}
