/** Failures about the files that steps changed. */
import { counted } from "../../text/quantity.ts";
import { type FailureKinds, shortened } from "../failure-kind.ts";

export const changeFailures: FailureKinds<"write-denied" | "changeset-refused" | "merge-conflict" | "project-changed"> = {
  "write-denied": {
    exit: 1,
    retry: "never",
    describe: ({ paths, rule, denied = [] }) => ({
      title: `none of the attempt's changes were kept: it may not write ${counted(paths.length, "file")} that it changed`,
      detail: shortened(paths.filter((path) => !denied.some(({ access }) => access === `writing ${path}`))),
      hint:
        rule === undefined
          ? "change the task so that the step writes only what its `file_write` rules allow, or allow the path"
          : `\`${rule}\` refuses every change; remove it if the step may change files`,
    }),
  },
  "changeset-refused": {
    exit: 1,
    retry: "never",
    describe: ({ path, detail }) => ({
      title: `cannot keep the change to \`${path}\``,
      detail: [detail],
      hint: "remove the file before the step ends, or add it to `.gitignore`",
    }),
  },
  "merge-conflict": {
    exit: 1,
    retry: "never",
    describe: ({ step, conflicts }) => ({
      title: `${step === undefined ? "the run" : `step \`${step}\``} depends on conflicting changes`,
      detail: conflicts.flatMap(({ path, steps, detail, hunk }) => [
        `${path}: ${steps.map((id) => `\`${id}\``).join(" and ")}: ${detail}`,
        ...(hunk === undefined
          ? []
          : hunk
              .trimEnd()
              .split("\n")
              .map((line) => `  ${line}`)),
      ]),
      hint: "make one of the steps depend on the other, or limit them to different files",
    }),
  },
  "project-changed": {
    exit: 1,
    retry: "never",
    describe: ({ paths, hint }) => ({
      title: `nothing was written: ${counted(paths.length, "file")} of the project changed in the meantime`,
      detail: shortened(paths),
      hint,
    }),
  },
};
