/** The words that manifest schemas are spelled with: names, paths, durations, sizes, commands. For types and for the generator, as `manifest.ts`. */
import { Type } from "typebox";
import { adapterNames, agentNames } from "../../core/names.ts";

export const strict = { additionalProperties: false } as const;

/** Ids name directories, artifacts and check runs: letters, digits, `.`, `_`, `-`; no leading dot, at most 100. */
export const name = (
  description = "ASCII letters and digits, `_`, `-` and single dots, not starting with `-` or a dot; at most 100 characters.",
) => Type.String({ pattern: "^[A-Za-z0-9_](?:[A-Za-z0-9_-]|\\.(?!\\.))*$", maxLength: 100, description });

export const projectPath = (description = "A path inside the project, relative to its root.") =>
  Type.String({ minLength: 1, maxLength: 4096, description });

export const duration = (description = "A duration: `90s`, `10m`, `1h30m`, `250ms`.") =>
  Type.String({
    pattern: "^[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h)(?:[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h))*$",
    description,
    examples: ["90s", "10m", "2h"],
  });

export const size = (description: string) =>
  Type.String({
    pattern: "^[0-9]+(?:\\.[0-9]+)?\\s?(?:B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$",
    description,
    examples: ["512MB", "2GB", "1GiB"],
  });

export const EnvName = Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$", description: "The name of an environment variable." });

export const Env = Type.Record(
  Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$" }),
  Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
  {
    ...strict,
    description: "Environment variables that a child process sees.",
  },
);

export const Secrets = Type.Array(EnvName, {
  uniqueItems: true,
  description: "Names of environment variables that a child may see and that are scrubbed from everything stored or shown.",
});

export const Command = Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String(), { minItems: 1 })], {
  description: "A program and its arguments as a list, or a shell command as a string (run by `sh -c`).",
});

export const AdapterName = Type.Union(
  [Type.Enum([...adapterNames]), Type.String({ pattern: `^(?:${agentNames.join("|")})@[0-9]+\\.[0-9]+\\.[0-9]+\\S*$` })],
  { description: "How a persona is executed; an agent may have an exact version: `claude@2.1.330`." },
);

export const PermissionRule = Type.String({
  pattern: "^(?:file_read|file_write|network_access|command):.+$",
  description: "`capability:pattern` with the capabilities file_read, file_write, network_access and command.",
  examples: ["file_read:**", "file_write:src/**", "network_access:*", "command:git *"],
});
