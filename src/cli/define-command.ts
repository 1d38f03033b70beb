/**
 * Defines a command: parses its arguments, prints its output as text or JSON, and maps failures to exit codes. The
 * parser, help and `docs/cli.md` are built from the definitions. Opens no project by itself.
 */

import { defined } from "../core/defined.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Failure } from "../core/failure.ts";
import { describeFailure, exitCodeOf } from "../core/failures.ts";
import type { Io, Output } from "../core/io.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { KnownProject, ProjectRequest } from "../engine/open-project.ts";
import { renderDiagnostics } from "../reporters/diagnostics/render-diagnostics.ts";
import { jsonText } from "../text/json-text.ts";
import { printable } from "../text/printable.ts";
import { manifestTexts } from "./manifest-texts.ts";
import { projectRequest } from "./project-request.ts";

export interface OptionDefinition {
  /** In commander's syntax: `-f, --file <path>`. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  /** Accepted several times; the value is a list. */
  readonly repeatable?: boolean;
  /** The value is a whole number from 1 to this maximum. */
  readonly max?: number;
}

export interface ArgumentDefinition {
  /** `[run]` if optional, `<run>` if required, `[tests...]` for a list. */
  readonly name: string;
  readonly description: string;
  readonly choices?: readonly string[];
}

/** A project that the caller has already located: its place, and where its files are read. */
export type FoundProject = Pick<KnownProject, "location" | "source">;

/** One parsed command line. */
export interface Invocation {
  readonly arguments: readonly (string | undefined)[];
  /** By camel-cased option name. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly io: Io;
  /** Undefined if the options locate the project. */
  readonly project?: FoundProject;
}

/** A piece of a command's output, or all of it. */
export interface CommandOutput {
  /** The document that `--json` prints in place of everything else. */
  readonly json?: unknown;
  /** Spaces per level of `json`; defaults to a document on one line. */
  readonly indent?: number;
  /** Text for people on stdout. */
  readonly text?: (stream: Output) => string;
  /** Data for programs on stdout. Printed with `--json` too if there is no `json`. */
  readonly data?: string | Uint8Array;
  /** Text for people on stderr. */
  readonly notes?: (stream: Output) => string;
  /** A problem that did not keep the command from printing. Follows the output; `json` has to contain it. */
  readonly failure?: Failure;
  /** Defaults to 0, or to the code of `failure`. */
  readonly code?: number;
}

/** The parsed command line. Option names are camel-cased: `--older-than` is `olderThan`. */
export interface CommandContext {
  readonly io: Io;
  /** Whether `--json` or `--format json` was given. */
  readonly json: boolean;
  readonly request: ProjectRequest;
  readonly args: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[] | undefined;
  count(name: string): number | undefined;
  /** Prints a piece before the command has ended. */
  print(piece: CommandOutput): void;
}

export interface CommandDefinition {
  readonly name: string;
  /** One sentence without a full stop. */
  readonly summary: string;
  readonly details?: string;
  readonly args?: readonly ArgumentDefinition[];
  /** Besides those that select the project, and `--json`. */
  readonly options?: readonly OptionDefinition[];
  /** False if the command has no `--env`. */
  readonly environment?: false;
  /** Describes `--json`. */
  readonly jsonHelp?: string;
  readonly examples: readonly string[];
  readonly run: (context: CommandContext) => Promise<Result<CommandOutput>>;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly details?: string;
  readonly arguments: readonly ArgumentDefinition[];
  readonly options: readonly OptionDefinition[];
  readonly examples: readonly string[];
  /** Returns the exit code. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** Selects the project, for every command. */
const projectOptions: readonly OptionDefinition[] = [
  {
    flags: "-f, --file <path>",
    description: "read this manifest; repeat to merge several in order (default: wave.yaml, here or in a parent up to the repository root)",
    repeatable: true,
  },
  { flags: "--env <name>", description: "merge the overlay wave.NAME.yaml" },
  { flags: "-C, --directory <dir>", description: "run as if started in this directory" },
];

export const adapterOption: OptionDefinition = { flags: "--adapter <name>", description: "use this adapter for every persona" };

export function defineCommand({ args = [], options = [], environment, jsonHelp, run, ...rest }: CommandDefinition): Command {
  const hasJsonFormat = options.some(({ flags, choices }) => flags.startsWith("--format") && choices?.includes("json") === true);
  const description = jsonHelp ?? (hasJsonFormat ? "same as --format json" : "print JSON on stdout");
  const all = [
    ...projectOptions.filter(({ flags }) => environment !== false || !flags.startsWith("--env")),
    ...options,
    { flags: "--json", description },
  ];
  return {
    ...rest,
    arguments: args,
    options: all,
    run: async (invocation) => {
      const context = contextOf(invocation);
      const checked = checkValues(invocation, args, all);
      const done = checked.ok ? await run(context) : checked;
      if (!done.ok) return fail(context, done.error);
      context.print(done.value);
      const { failure, code = failure === undefined ? 0 : exitCodeOf(failure) } = done.value;
      if (failure !== undefined && !context.json) printFailure(context, failure);
      return code;
    },
  };
}

function contextOf(invocation: Invocation): CommandContext {
  const { io, options } = invocation;
  const json = options["json"] === true || options["format"] === "json";
  const text = (name: string) => (typeof options[name] === "string" ? options[name] : undefined);
  return {
    ...{ io, json, request: projectRequest(invocation) },
    args: invocation.arguments.filter((value) => value !== undefined),
    text,
    flag: (name) => options[name] === true,
    list: (name) => (Array.isArray(options[name]) ? options[name] : undefined),
    count: (name) => (text(name) === undefined ? undefined : Number(text(name))),
    print: (piece) => printOutput(io, piece, json),
  };
}

function printOutput(io: Io, { json, indent, text, data, notes }: CommandOutput, asJson: boolean): void {
  if (asJson && json !== undefined) {
    io.stdout.writeData(documentText(io, json, indent));
    return;
  }
  if (!asJson && text !== undefined) io.stdout.write(text(io.stdout));
  if (data !== undefined) io.stdout.writeData(data);
  if (!asJson && notes !== undefined) io.stderr.write(notes(io.stderr));
}

/** Fails with `usage` for an argument or option with a value that it does not accept. */
function checkValues(invocation: Invocation, args: readonly ArgumentDefinition[], options: readonly OptionDefinition[]): Result<void> {
  for (const [index, { name, choices }] of args.entries()) {
    const value = invocation.arguments[index];
    if (choices === undefined || value === undefined || choices.includes(value)) continue;
    const expected = choices.map((choice) => `\`${choice}\``).join(" or ");
    return err({ reason: "usage", message: `unknown ${name.replace(/[<>[\]]/g, "")} \`${value}\`; expected ${expected}` });
  }
  for (const { flags, max } of options) {
    const [, long = ""] = /--([\w-]+)/.exec(flags) ?? [];
    const value = invocation.options[long.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    if (max === undefined || value === undefined) continue;
    const number = Number(value);
    if (!Number.isInteger(number) || number < 1 || number > max)
      return err({ reason: "usage", message: `--${long} takes a whole number from 1 to ${max}, not \`${String(value)}\`` });
  }
  return ok(undefined);
}

/** A document as JSON text without secrets. Safe on any destination. */
export function documentText({ secrets }: Pick<Io, "secrets">, value: unknown, indent?: number): string {
  return `${jsonText(secrets.redactor().value(value), indent)}\n`;
}

/** Returns file texts for code frames; undefined for a file that contains a secret, since a frame could show a part of it. */
export function frameTexts({ secrets }: Pick<Io, "secrets">, fileText: FileText): FileText {
  return (path) => {
    const text = fileText(path);
    return text === undefined || secrets.redactor().finds(Buffer.from(text)) ? undefined : text;
  };
}

type FileText = (path: string) => string | undefined;

/** Color, and the width of a terminal, for code frames. */
export function frameOptions({ color, isTerminal, columns }: Output): { readonly color: boolean; readonly columns?: number } {
  return { color, ...defined({ columns: isTerminal ? columns : undefined }) };
}

/** Prints diagnostics for people on stderr. */
export function printDiagnostics(io: Io, diagnostics: readonly Diagnostic[], fileText: FileText): void {
  if (diagnostics.length === 0) return;
  io.stderr.write(renderDiagnostics(diagnostics, frameTexts(io, fileText), "text", frameOptions(io.stderr)));
}

/** Reports a failure, as a document with `--json`, and returns its exit code. */
function fail(context: CommandContext, failure: Failure): number {
  if (context.json) context.io.stdout.writeData(documentText(context.io, { ok: false, failure }));
  else printFailure(context, failure);
  return exitCodeOf(failure);
}

function printFailure({ io, request }: CommandContext, failure: Failure): void {
  if (failure.reason === "manifest-invalid") {
    printDiagnostics(io, failure.diagnostics, manifestTexts(request));
    return;
  }
  const { title, detail, hint } = describeFailure(failure);
  const lines = [`error: ${title}`, ...detail.map((line) => `  ${line}`), ...(hint === undefined ? [] : [`  hint: ${hint}`])];
  io.stderr.write(`${lines.map(printable).join("\n")}\n`);
}
