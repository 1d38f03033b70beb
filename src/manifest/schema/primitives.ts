/** Schemas that others are built from: names, paths, durations, sizes, commands. Imported for types and by the generator only, like `manifest.ts`. */
import { Type } from "typebox";
import { adapterNames, agentNames } from "../../core/names.ts";

export const strict = { additionalProperties: false } as const;

/** A name. It is used for directories, artifacts and check runs, hence the restrictions. */
export const name = (description = "Up to 100 ASCII letters, digits, `_`, `-` and single dots. Must not start with `-` or a dot.") =>
  Type.String({ pattern: "^[A-Za-z0-9_](?:[A-Za-z0-9_-]|\\.(?!\\.))*$", maxLength: 100, description });

export const projectPath = (description = "Path inside the project, relative to its root.") =>
  Type.String({ minLength: 1, maxLength: 4096, description });

export const duration = (description = "Duration, for example `90s`, `10m`, `1h30m` or `250ms`.") =>
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

export const EnvName = Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$", description: "Name of an environment variable." });

export const Env = Type.Record(
  Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$" }),
  Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
  {
    ...strict,
    description: "Environment variables for the step's process.",
  },
);

export const Secrets = Type.Array(EnvName, {
  uniqueItems: true,
  description:
    "Names of environment variables to pass to the step's process. Their values are redacted in everything that is stored or shown.",
});

export const CommandValue = Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String(), { minItems: 1 })], {
  description: "Program and arguments as a list, or a shell command as a string, run with `sh -c`.",
});

export const AdapterValue = Type.Union(
  [Type.Enum([...adapterNames]), Type.String({ pattern: `^(?:${agentNames.join("|")})@[0-9]+\\.[0-9]+\\.[0-9]+\\S*$` })],
  { description: "Adapter that executes the persona. An agent can be pinned to an exact version: `claude@2.1.330`." },
);

export const PermissionRuleText = Type.String({
  pattern: "^(?:file_read|file_write|network_access|command):.+$",
  description: "Rule of the form `capability:pattern`. Capabilities are `file_read`, `file_write`, `network_access` and `command`.",
  examples: ["file_read:**", "file_write:src/**", "network_access:*", "command:git *"],
});
