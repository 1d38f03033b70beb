/** Commands of a job that run nothing: the `wave` command's own, with the inputs as its words. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { StringDecoder } from "node:string_decoder";
import { setOutput, summary } from "@actions/core";
import type { FoundProject } from "../cli/define-command.ts";
import { buildProgram } from "../cli/program.ts";
import type { Io } from "../core/io.ts";
import type { JobInputs } from "../platform/actions/inputs.ts";
import { codeBlock, plainText, withinLimit } from "../text/markdown.ts";
import { terminalText } from "../text/terminal-text.ts";
import { setReport } from "./job-outputs.ts";

/** Commands that are asked twice: for the outputs, and in the form that people read. The others print one thing for both. */
const givenTwice: ReadonlySet<JobInputs["command"]> = new Set(["plan", "status", "trace"]);

export interface CliCommandRequest {
  readonly io: Io;
  readonly inputs: JobInputs;
  /** A directory of the job for files on their way. */
  readonly temp: string;
  /** Whether the runner takes a job summary. */
  readonly hasSummary: boolean;
  /** Where the command's files are read. Undefined for the checkout. */
  readonly project?: FoundProject;
}

/** Runs the command and sets the outputs that it has. Returns the exit status. */
export async function runCliCommand({ io, inputs, temp, hasSummary, project }: CliCommandRequest): Promise<number> {
  const twice = givenTwice.has(inputs.command);
  const printed: string[] = [];
  const decoder = new StringDecoder("utf8");
  const kept = <T extends string | Uint8Array>(write: (data: T) => void, clean = (text: string) => text) => {
    return (data: T) => {
      printed.push(clean(typeof data === "string" ? data : decoder.write(Buffer.from(data))));
      if (!twice) write(data);
    };
  };
  const { stdout } = io;
  const main = (args: readonly string[], output: Io["stdout"]) => buildProgram({ ...io, stdout: output }, project).main(args);
  const junit = path.join(temp, "tests.xml");
  const options = twice ? ["--json"] : inputs.command === "validate" ? ["--format", "github"] : [];
  await mkdir(temp, { recursive: true });
  if (inputs.command === "test") {
    options.push("--format", "github", "--junit", junit);
  }
  const status = await main(wordsOf(inputs, options), {
    ...stdout,
    isTerminal: false,
    color: false,
    write: kept(stdout.write, (text) => terminalText(io.secrets.redactor().text(text), { color: false })),
    writeData: kept(stdout.writeData),
    writeControl: kept(stdout.writeControl),
  });
  const text = printed.join("");
  if (inputs.command === "plan" && status === 0) setOutput("plan", text.trim());
  if (inputs.command === "test" && existsSync(junit)) setOutput("report", junit);
  else if (text !== "") await setReport(temp, `${inputs.command}.${twice ? "json" : "txt"}`, text);
  // The log shows text, not JSON, so the command runs again to print its failure as text.
  const isShown = inputs.command === "plan" && status === 0 && hasSummary;
  if (twice) await main(wordsOf(inputs, []), isShown ? withSummary(io, inputs) : io.stdout);
  if (isShown) await summary.write();
  setOutput("status", status === 0 ? "passed" : "failed");
  return status;
}

/** The log, with what is written as text also in the job summary. */
function withSummary({ stdout, secrets }: Io, { pipeline }: JobInputs): Io["stdout"] {
  const heading = `### Plan${pipeline === undefined ? "" : ` of ${plainText(pipeline)}`}`;
  return {
    ...stdout,
    write(text) {
      stdout.write(text);
      const shown = terminalText(secrets.redactor().text(text), { color: false });
      const page = withinLimit(
        [heading, shown.length > mostCharacters ? "The plan is too large for the summary: the log has it." : codeBlock(shown)],
        mostCharacters * 2,
      );
      summary.addRaw(`${page}\n`);
    },
  };
}

/** Of the plan in a job summary, which GitHub drops above 1 MiB. */
const mostCharacters = 250_000;

function wordsOf(inputs: JobInputs, options: readonly string[]): string[] {
  const { command, adapter, input } = inputs;
  const args: string[] = [command, ...options, "--directory", inputs.workingDirectory];
  for (const file of inputs.files) args.push("--file", file);
  if (inputs.environment !== undefined) args.push("--env", inputs.environment);
  if (adapter !== undefined && ["plan", "validate"].includes(command)) args.push("--adapter", adapter);
  if (inputs.pipeline !== undefined && command === "test") args.push("--pipeline", inputs.pipeline);
  if (input !== undefined && command === "plan") args.push(`--input=${input}`);
  const named = command === "plan" ? inputs.pipeline : command === "status" || command === "trace" ? runOf(inputs) : undefined;
  return named === undefined ? args : [...args, "--", named];
}

/** The run that is asked about: the one that was named, else the pipeline's newest. */
function runOf({ command, resume, pipeline }: JobInputs): string | undefined {
  if (resume !== "auto" && resume !== "never") return resume;
  return pipeline ?? (command === "trace" ? "latest" : undefined);
}
