/** Schemas of the keys `workspace` and `sandbox`. Imported for types and by the generator only, like `manifest.ts`. */
import { Type } from "typebox";
import { strict } from "./primitives.ts";

export const WorkspaceKind = Type.Union(
  [
    Type.Enum(["shared"]),
    Type.Object(
      {
        provider: Type.Enum(["copy"], {
          description:
            "Copies the project for each attempt even if an overlay is possible. Uses reflinks if the file system supports them.",
        }),
      },
      strict,
    ),
  ],
  {
    description:
      "Workspace of the step's attempts. `shared` runs the step in the project itself, and alone unless all steps are shared; its changes stay even if it fails, and `.git` is read-only unless `sandbox: off` is set. `{ provider: copy }` runs each attempt in a copy, where project directories can be renamed on every system.",
  },
);

export const SandboxSetting = Type.Union(
  [
    Type.Enum(["off"]),
    Type.Object(
      {
        show: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
            description: "Additional files and directories in `/etc` that steps may read. Paths that usually contain secrets are refused.",
          }),
        ),
      },
      strict,
    ),
  ],
  {
    description:
      "`off` runs all steps without a sandbox, even if denied permissions cannot be enforced then. A map makes more files readable in the sandbox.",
  },
);
