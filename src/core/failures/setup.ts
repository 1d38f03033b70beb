/** Failures found before any step starts. */
import { counted } from "../../text/quantity.ts";
import { defined } from "../defined.ts";
import { sortDiagnostics } from "../diagnostic.ts";
import type { FailureKinds } from "../failure-kind.ts";

export const setupFailures: FailureKinds<
  "usage" | "manifest-invalid" | "adapter-missing" | "git-outdated" | "permission-unenforceable" | "owner-unsupported"
> = {
  usage: {
    exit: 2,
    retry: "never",
    describe: ({ message, hint }) => ({ title: message, detail: [], ...defined({ hint }) }),
  },
  "manifest-invalid": {
    exit: 2,
    retry: "never",
    describe({ diagnostics }) {
      const errors = sortDiagnostics(diagnostics.filter(({ severity }) => severity === "error"));
      return {
        title: `the manifest has ${counted(errors.length, "error")}`,
        detail: errors.map(
          ({ code, message, origin: { file, range } }) => `${file}:${range.start.line}:${range.start.column}: ${message} (${code})`,
        ),
        hint: "run `wave validate` to see each error in its place",
      };
    },
  },
  "adapter-missing": {
    exit: 4,
    retry: "never",
    describe: ({ step, persona, detail, hint }) => ({
      title: `step \`${step}\` cannot run: ${detail}`,
      detail: [`its persona is \`${persona}\``],
      hint,
    }),
  },
  "git-outdated": {
    exit: 4,
    retry: "never",
    describe: ({ version, oldest }) => ({
      title: `nothing was started: git ${version} is older than ${oldest}, the oldest supported version`,
      detail: [],
      hint: `install git ${oldest} or newer, and put it first on PATH`,
    }),
  },
  "permission-unenforceable": {
    exit: 4,
    retry: "never",
    describe: ({ rules }) => ({
      title: `nothing was started: ${counted(rules.length, "permission")} cannot be enforced here`,
      detail: rules.map(({ step, rule }) => `step \`${step}\`: ${rule}`),
      hint: rules.some(({ rule }) => rule.startsWith("file_write:"))
        ? "remove `workspace: shared` from the step, so that its writes can be checked; or set `sandbox: off` to run it without this protection"
        : "set `sandbox: off` on the step, or at the top of the manifest, to run without this protection",
    }),
  },
  "owner-unsupported": {
    exit: 4,
    retry: "never",
    describe: ({ detail }) => ({
      title: "nothing was started: the sandbox has no access to project files that root does not own",
      detail: [detail],
      hint: "run wave as the owner of the files, or set `sandbox: off` at the top of the manifest to run without this protection",
    }),
  },
};
