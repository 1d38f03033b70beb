/**
 * What a `wave` command is: its words, its options and what it does. `cli.ts` builds the parser and `docs/cli.md` is
 * generated from these definitions, so help, docs and behaviour are one thing.
 */

import type { Diagnostic } from "../core/diagnostic.ts";
import type { Failure } from "../core/failure.ts";
import { describeFailure, exitCodeOf } from "../core/failures.ts";
import type { Io } from "../core/io.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { ProjectRequest } from "../engine/open-project.ts";
import { renderDiagnostics } from "../reporters/diagnostics/render-diagnostics.ts";
import { printable } from "../text/printable.ts";

export type { Io } from "../core/io.ts";

import { jsonText } from "../text/json-text.ts";

export interface OptionDefinition {
  /** As commander reads them: `-f, --file <path>`. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  /** May be given several times; the value is a list. */
  readonly repeatable?: boolean;
}

export interface ArgumentDefinition {
  /** `[run]` or `<run>`. */
  readonly name: string;
  readonly description: string;
}

/** A project that the caller has found before: where it is, and where its files are read. */
export type FoundProject = Pick<ProjectRequest, "location" | "source">;

export interface Invocation {
  readonly arguments: readonly (string | undefined)[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly io: Io;
  /** Undefined if the words name the project. */
  readonly project?: FoundProject;
}

export interface Command {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** What help says beyond the options. */
  readonly details?: string;
  readonly arguments: readonly ArgumentDefinition[];
  readonly options: readonly OptionDefinition[];
  readonly examples: readonly string[];
  /** Gives the exit status. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** The options of every command that reads a manifest. */
export const manifestOptions: readonly OptionDefinition[] = [
  { flags: "-f, --file <path>", description: "manifest to read; several merge in order (default: wave.yaml)", repeatable: true },
  { flags: "--env <name>", description: "overlay wave.NAME.yaml" },
  { flags: "-C, --directory <dir>", description: "work as if started in this directory" },
];

/** The option of every command that has something for machines. */
export const jsonOption: OptionDefinition = { flags: "--json", description: "print JSON on stdout" };

export const adapterOption: OptionDefinition = { flags: "--adapter <name>", description: "execute every persona with this adapter" };

/** A text option, or nothing. */
export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === "string" ? value : undefined;
}

/** Whether a flag was given. */
export function flag(invocation: Invocation, name: string): boolean {
  return invocation.options[name] === true;
}

/** A whole number from 1 to `max`, or a usage failure. */
export function countOption(invocation: Invocation, name: string, max: number): number | undefined | Failure {
  const text = textOption(invocation, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  return { reason: "usage", message: `--${name} takes a whole number from 1 to ${max}, not \`${text}\`` };
}

/** What a command that fails gives to its caller: the text for people or JSON for machines is printed on the way. */
export interface FailureContext {
  readonly json: boolean;
  readonly fileText: (path: string) => string | undefined;
}

/** Prints a value for programs, without secrets. Safe on any destination. */
export function printJson({ stdout, secrets }: Pick<Io, "stdout" | "secrets">, value: unknown, indent?: number): void {
  stdout.writeData(`${jsonText(secrets.redactor().value(value), indent)}\n`);
}

/** Texts for code frames; undefined for a file that holds a secret, of which a frame could show a part. */
export function frameTexts({ secrets }: Pick<Io, "secrets">, fileText: FailureContext["fileText"]): FailureContext["fileText"] {
  return (path) => {
    const text = fileText(path);
    return text === undefined || secrets.redactor().finds(Buffer.from(text)) ? undefined : text;
  };
}

/** Prints a failure where it belongs and gives its exit status. */
export function fail(io: Io, failure: Failure, context: Partial<FailureContext> = {}): number {
  if (context.json === true) {
    printJson(io, { ok: false, failure });
  } else if (failure.reason === "manifest-invalid") {
    const texts = frameTexts(io, context.fileText ?? (() => undefined));
    io.stderr.write(renderDiagnostics(failure.diagnostics, texts, "text", { color: io.stderr.color }));
  } else {
    const { title, detail, hint } = describeFailure(failure);
    const lines = [`error: ${title}`, ...detail.map((line) => `  ${line}`), ...(hint === undefined ? [] : [`  hint: ${hint}`])];
    io.stderr.write(`${lines.map(printable).join("\n")}\n`);
  }
  return exitCodeOf(failure);
}

/** Warnings go to people, also when a command succeeds. */
export function warn(io: Io, diagnostics: readonly Diagnostic[], fileText: (path: string) => string | undefined): void {
  if (diagnostics.length === 0) return;
  io.stderr.write(renderDiagnostics(diagnostics, frameTexts(io, fileText), "text", { color: io.stderr.color }));
}

/** The first argument, where it is one of a command's actions. Fails with `usage`; `what` is what the actions are done with. */
export function actionOf<T extends string>(invocation: Invocation, actions: readonly T[], what: string): Result<T> {
  const arg = invocation.arguments[0] ?? "";
  const action = actions.find((known) => known === arg);
  if (action !== undefined) return ok(action);
  return err({ reason: "usage", message: `\`${arg}\` is not something to do with ${what}`, hint: `do: ${actions.join(", ")}` });
}
