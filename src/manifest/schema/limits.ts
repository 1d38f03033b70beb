/** Schemas of limits: on one attempt, and on a run as a whole. Imported for types and by the generator only, like `manifest.ts`. */
import { Type } from "typebox";
import { duration, size, strict } from "./primitives.ts";

export const ResourcesSchema = Type.Object(
  {
    timeout: Type.Optional(duration("Timeout of one attempt. Defaults to 30m.")),
    memory_limit: Type.Optional(size("Maximum memory of all the attempt's processes together.")),
    disk_limit: Type.Optional(
      size("Maximum size of everything the attempt writes to its workspace, output and temporary files together. Defaults to 10GB."),
    ),
    max_turns: Type.Optional(Type.Integer({ minimum: 1, description: "Maximum number of model responses that an agent may use." })),
    max_tokens: Type.Optional(
      Type.Integer({ minimum: 1, description: "Maximum number of tokens that an agent may use: input, output and cached tokens." }),
    ),
    max_cost: Type.Optional(
      Type.Number({
        minimum: 0,
        description:
          "Maximum cost of an agent, in US dollars. Computed from the price of its model, or taken from the agent's report if no price is known.",
      }),
    ),
  },
  { ...strict, description: "Limits on one attempt." },
);

export const BudgetSchema = Type.Object(
  {
    timeout: Type.Optional(duration("Timeout of the run. Resuming a run restarts it.")),
    max_turns: Type.Optional(Type.Integer({ minimum: 1, description: "Maximum number of model responses of all attempts together." })),
    max_tokens: Type.Optional(
      Type.Integer({ minimum: 1, description: "Maximum number of tokens of all attempts together: input, output and cached tokens." }),
    ),
    max_cost: Type.Optional(Type.Number({ minimum: 0, description: "Maximum cost of all attempts together, in US dollars." })),
  },
  {
    ...strict,
    description:
      "Limits on a run as a whole. Failed attempts count. At 80 % of a limit, optional steps are no longer started. Beyond 100 %, the run fails with `budget-exceeded`.",
  },
);
