/** `wave doctor`: reports what this machine supports. */
import { ok } from "../core/result.ts";
import { version } from "../core/version.ts";
import { checkMachine } from "../engine/check-machine.ts";
import { paletteOf } from "../reporters/console/palette.ts";
import { printable } from "../text/printable.ts";
import { defineCommand } from "./define-command.ts";

export const doctorCommand = defineCommand({
  name: "doctor",
  summary: "Check what this machine supports: sandbox, workspaces, limits and agents",
  details: "Probes each isolation mode with a no-op process. Makes no changes.",
  examples: ["wave doctor", "wave doctor --json"],
  run: async ({ request }) => {
    const { isolation, findings } = await checkMachine(request);
    return ok({
      json: { ok: true, wave: version, node: process.version, isolation, findings },
      text: ({ color }) => {
        const paint = paletteOf(color);
        const lines = findings.map(
          ({ name, good, text }) => `${good ? paint.green("✓") : paint.yellow("!")} ${name.padEnd(12)} ${printable(text)}`,
        );
        return `${[...lines, ...isolation.refused.map((reason) => paint.dim(`  ${printable(reason)}`))].join("\n")}\n`;
      },
    });
  },
});
