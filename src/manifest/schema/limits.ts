/** What manifests say of limits: on one attempt, and on a run as a whole. For types and for the generator, as `manifest.ts`. */
import { Type } from "typebox";
import { duration, size, strict } from "./primitives.ts";

export const ResourcesSchema = Type.Object(
  {
    timeout: Type.Optional(duration("How long one attempt may take (default 30m).")),
    memory_limit: Type.Optional(size("How much memory the attempt's processes may hold together.")),
    disk_limit: Type.Optional(size("How much the attempt may write to its workspace, output and temporary files together (default 10GB).")),
    max_turns: Type.Optional(Type.Integer({ minimum: 1, description: "How many answers of the model an agent may take." })),
    max_tokens: Type.Optional(
      Type.Integer({ minimum: 1, description: "How many tokens an agent may use, read and written, cached ones too." }),
    ),
    max_cost: Type.Optional(
      Type.Number({ minimum: 0, description: "How many US dollars an agent may spend, by the price of its model, else by its own count." }),
    ),
  },
  { ...strict, description: "Limits on one attempt." },
);

export const BudgetSchema = Type.Object(
  {
    timeout: Type.Optional(duration("How long the run may take; a resumed run begins anew.")),
    max_turns: Type.Optional(Type.Integer({ minimum: 1, description: "How many answers of models all attempts together may take." })),
    max_tokens: Type.Optional(
      Type.Integer({ minimum: 1, description: "How many tokens all attempts together may use, read and written, cached ones too." }),
    ),
    max_cost: Type.Optional(Type.Number({ minimum: 0, description: "How many US dollars all attempts together may cost." })),
  },
  {
    ...strict,
    description:
      "Limits on a run as a whole, attempts that failed included. From 80 % of one on, no optional step is begun; beyond it, the run ends.",
  },
);
