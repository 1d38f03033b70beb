/** Keys of the manifest that decide where an attempt works and what it sees of the machine. For types and for the generator, like `manifest.ts`. */
import { Type } from "typebox";
import { strict } from "./primitives.ts";

export const WorkspaceKind = Type.Union(
  [
    Type.Enum(["shared"]),
    Type.Object(
      {
        provider: Type.Enum(["copy"], {
          description: "Copies the project for each attempt, with reflinks if the file system has them, even if an overlay is possible.",
        }),
      },
      strict,
    ),
  ],
  {
    description:
      "`shared` runs in the project itself, alone. Changes stay even if it fails; `.git` is read-only unless `sandbox: off`. `{ provider: copy }` gives each attempt a copy, in which directories of the project can be renamed everywhere.",
  },
);

export const SandboxSetting = Type.Union(
  [
    Type.Enum(["off"]),
    Type.Object(
      {
        show: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
            description:
              "Files and directories in `/etc` that steps may read, beside those that Wave shows. Places for secrets are refused.",
          }),
        ),
      },
      strict,
    ),
  ],
  {
    description:
      "`off` runs all steps without a fence, also where denied permissions are then not enforced. A map adds to what the sandbox shows.",
  },
);
