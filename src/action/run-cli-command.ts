/** Runs commands of a job that execute no run, through the `wave` command line, with the inputs as its arguments. */
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

/** Commands that run twice: as JSON for the outputs, and as text for the log. The others print one form for both. */
const runTwice: ReadonlySet<JobInputs["command"]> = new Set(["plan", "status", "trace"]);

export interface CliCommandRequest {
  readonly io: Io;
  readonly inputs: JobInputs;
  /** A temporary directory of the job. */
  readonly temp: string;
  /** Whether the runner supports job summaries. */
  readonly hasSummary: boolean;
  /** Where the command reads the project's files. Undefined for the checkout. */
  readonly project?: FoundProject;
}

/** Runs the command and sets its outputs. Returns the exit status. */
export async function runCliCommand({ io, inputs, temp, hasSummary, project }: CliCommandRequest): Promise<number> {
  const twice = runTwice.has(inputs.command);
  const printed: string[] = [];
  const decoder = new StringDecoder("utf8");
  const capture = <T extends string | Uint8Array>(write: (data: T) => void, clean = (text: string) => text) => {
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
  const status = await main(argsOf(inputs, options), {
    ...stdout,
    isTerminal: false,
    color: false,
    write: capture(stdout.write, (text) => terminalText(io.secrets.redactor().text(text), { color: false })),
    writeData: capture(stdout.writeData),
    writeControl: capture(stdout.writeControl),
  });
  const text = printed.join("");
  if (inputs.command === "plan" && status === 0) setOutput("plan", text.trim());
  if (inputs.command === "test" && existsSync(junit)) setOutput("report", junit);
  else if (text !== "") await setReport(temp, `${inputs.command}.${twice ? "json" : "txt"}`, text);
  // The log shows text, not JSON, so the command runs again to print its failure as text.
  const isShown = inputs.command === "plan" && status === 0 && hasSummary;
  if (twice) await main(argsOf(inputs, []), isShown ? withSummary(io, inputs) : io.stdout);
  if (isShown) await summary.write();
  setOutput("status", status === 0 ? "passed" : "failed");
  return status;
}

/** A stdout that copies text to the job summary too. */
function withSummary({ stdout, secrets }: Io, { pipeline }: JobInputs): Io["stdout"] {
  const heading = `### Plan${pipeline === undefined ? "" : ` of ${plainText(pipeline)}`}`;
  return {
    ...stdout,
    write(text) {
      stdout.write(text);
      const shown = terminalText(secrets.redactor().text(text), { color: false });
      const page = withinLimit(
        [heading, shown.length > maxCharacters ? "The plan is too large for the summary. See the log." : codeBlock(shown)],
        maxCharacters * 2,
      );
      summary.addRaw(`${page}\n`);
    },
  };
}

/** Maximum length of a plan in the job summary, in characters. GitHub drops summaries above 1 MiB. */
const maxCharacters = 250_000;

function argsOf(inputs: JobInputs, options: readonly string[]): string[] {
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

/** The run to show: the one named by the input `resume`, else the pipeline's newest. */
function runOf({ command, resume, pipeline }: JobInputs): string | undefined {
  if (resume !== "auto" && resume !== "never") return resume;
  return pipeline ?? (command === "trace" ? "latest" : undefined);
}
