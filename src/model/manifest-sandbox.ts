/** Keys of the manifest that decide where an attempt works and what it sees of the machine. For types and for the generator, like `manifest.ts`. */
import { Type } from "typebox";
import { strict } from "./manifest-words.ts";

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
