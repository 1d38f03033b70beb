/** The command line's parser, built from the table of commands. */

import { CommanderError, Option, Command as Parser } from "commander";
import { defined } from "../core/defined.ts";
import type { Io } from "../core/io.ts";
import { version } from "../core/version.ts";
import { commands } from "./commands.ts";
import type { Command, FoundProject, Invocation, OptionDefinition } from "./define-command.ts";

export interface Program {
  /** Runs one command line (without node and script) and gives the exit status: 2 for words that make no sense. */
  readonly main: (args: readonly string[]) => Promise<number>;
}

/** `project`: the project of every command, if it does not follow from the words. */
export function buildProgram(io: Io, project?: FoundProject): Program {
  return {
    main: async (args) => {
      let status = 0;
      const parser = parserFor(args, { io, ...defined({ project }) }, (code) => {
        status = code;
      });
      try {
        await parser.parseAsync([...(args.length === 0 ? ["--help"] : args)], { from: "user" });
        return status;
      } catch (error) {
        if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
        throw error;
      }
    },
  };
}

type World = Pick<Invocation, "io" | "project">;

/** A command that the first word names is laid out alone: all of them, with their options, would be a part of what every start costs. */
function parserFor(args: readonly string[], world: World, done: (status: number) => void): Parser {
  const parser = new Parser("wave")
    .description("Declarative pipelines of AI steps: planned, gated by contracts, remembered, resumed.")
    .version(version, "-V, --version")
    .helpCommand("help [command]", "show help for a command")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: world.io.stdout.write, writeErr: world.io.stderr.write });
  const named = commands.filter(({ name }) => name === args[0]);
  for (const command of named.length > 0 ? named : commands) addCommand(parser, command, world, done);
  return parser;
}

function addCommand(parser: Parser, command: Command, world: World, done: (status: number) => void): void {
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
    // What takes several words comes as a list.
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
