/** `wave config`: prints the manifest with overlays and variables resolved. */
import { ok } from "../core/result.ts";
import { printedConfig } from "../engine/print-config.ts";
import { defineCommand } from "./define-command.ts";

export const configCommand = defineCommand({
  name: "config",
  summary: "Print the manifest with overlays merged and variables substituted, secrets masked",
  options: [{ flags: "--origins", description: "name the file and line of each value" }],
  examples: ["wave config", "wave config -f wave.yaml -f ci.yaml --origins"],
  run: async ({ io, request, flag }) => {
    const config = await printedConfig(request, { origins: flag("origins"), redactor: () => io.secrets.redactor() });
    return config.ok ? ok({ json: config.value.document, indent: 2, data: config.value.text }) : config;
  },
});
