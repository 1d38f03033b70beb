/** Failures to collect an attempt's artifacts. */
import { formatSizes } from "../../text/quantity.ts";
import type { FailureKinds } from "../failure-kind.ts";

export const artifactFailures: FailureKinds<
  "artifact-missing" | "artifact-ambiguous" | "artifact-refused" | "artifact-too-large" | "secret-leaked"
> = {
  "artifact-missing": {
    exit: 1,
    retry: "any-contract",
    describe({ artifacts, searched }) {
      const names = artifacts.map((name) => `\`${name}\``).join(", ");
      return {
        title: artifacts.length === 1 ? `artifact ${names} was not created` : `artifacts ${names} were not created`,
        detail: searched.length === 0 ? [] : [`searched: ${searched.join(", ")}`],
        hint: "the step must write it to $WAVE_OUTPUT_DIR under its name, or to the artifact's `path`",
      };
    },
  },
  "artifact-ambiguous": {
    exit: 1,
    retry: "any-contract",
    describe: ({ artifact, matches }) => ({
      title: `${matches.length} files match artifact \`${artifact}\``,
      detail: [...matches],
      hint: "set a `path` on the artifact that matches one file",
    }),
  },
  "artifact-refused": {
    exit: 1,
    retry: "never",
    describe: ({ artifact, path, detail }) => ({
      title: `artifact \`${artifact}\` was refused: ${path}`,
      detail: [detail],
      hint: "an artifact must be a regular file inside the workspace",
    }),
  },
  "artifact-too-large": {
    exit: 1,
    retry: "never",
    describe({ artifact, size, limit }) {
      const [shownSize, shownLimit] = formatSizes(size, limit);
      return {
        title: `artifact \`${artifact}\` has ${shownSize}, more than the limit of ${shownLimit}`,
        detail: [],
        hint: "split it, or leave out the parts that later steps do not need",
      };
    },
  },
  "secret-leaked": {
    exit: 1,
    retry: "never",
    describe: ({ artifact, kind }) => ({
      title: `the attempt was discarded: \`${artifact}\` contains a secret`,
      detail: kind === undefined ? [] : [`kind of secret: ${kind}`],
      hint: "keep the secret out of the files that the step writes",
    }),
  },
};
