/** Builds the parser of the command line from the table of commands. */
import { CommanderError, Option, Command as Parser } from "commander";
import { defined } from "../core/defined.ts";
import type { Io } from "../core/io.ts";
import { version } from "../core/version.ts";
import { commands } from "./commands.ts";
import type { Command, FoundProject, Invocation, OptionDefinition } from "./define-command.ts";

export interface Program {
  /** Runs a command line, without node and script, and returns the exit code: 2 if it cannot be parsed. */
  readonly main: (args: readonly string[]) => Promise<number>;
}

/** `project`: the project of every command. Undefined if the options locate it. */
export function buildProgram(io: Io, project?: FoundProject): Program {
  return {
    main: async (given) => {
      let code = 0;
      const args = withoutHelpCommand(given);
      const parser = parserFor(args, { io, ...defined({ project }) }, (returned) => {
        code = returned;
      });
      try {
        await parser.parseAsync([...args], { from: "user" });
        return code;
      } catch (error) {
        if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
        throw error;
      }
    },
  };
}

/** `wave help run` as `wave run --help`. Commander's own command returns `process.exitCode`, which is not 0 before the end. */
function withoutHelpCommand(args: readonly string[]): readonly string[] {
  const [first, second = "help"] = args;
  if (first !== undefined && first !== "help") return args;
  if (second === "help" || second.startsWith("-")) return ["--help"];
  return commands.some(({ name }) => name === second) ? [second, "--help"] : [second];
}

type World = Pick<Invocation, "io" | "project">;

/** Adds only the named command, if there is one: adding all of them would slow down every start. */
function parserFor(args: readonly string[], world: World, done: (code: number) => void): Parser {
  const parser = new Parser("wave")
    .description("Run declarative pipelines of AI steps with plans, contracts and resumable state.")
    .version(version, "-V, --version")
    .helpCommand("help [command]", "show help for a command")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: world.io.stdout.write, writeErr: world.io.stderr.write });
  const named = commands.filter(({ name }) => name === args[0]);
  for (const command of named.length > 0 ? named : commands) addCommand(parser, command, world, done);
  return parser;
}

function addCommand(parser: Parser, command: Command, world: World, done: (code: number) => void): void {
  const { io } = world;
  const sub = parser
    .command(command.name)
    .description(command.details === undefined ? command.summary : `${command.summary}.\n\n${command.details}`)
    .summary(command.summary);
  sub.exitOverride().configureOutput({ writeOut: io.stdout.write, writeErr: io.stderr.write }).showSuggestionAfterError();
  for (const argument of command.arguments) sub.argument(argument.name, argument.description);
  for (const option of command.options) sub.addOption(optionOf(option));
  sub.addHelpText("after", `\nExamples:\n${command.examples.map((example) => `  ${example}`).join("\n")}\n`);
  sub.action(async (...received: unknown[]) => {
    // An argument that takes several values is a list.
    const values = received.slice(0, command.arguments.length).flat() as (string | undefined)[];
    done(await command.run({ arguments: values, options: sub.opts(), ...world }));
  });
}

function optionOf(definition: OptionDefinition): Option {
  const option = new Option(definition.flags, definition.description);
  if (definition.choices !== undefined) option.choices(definition.choices);
  if (definition.default !== undefined) option.default(definition.default);
  if (definition.repeatable === true) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  return option;
}
