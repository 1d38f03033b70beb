/** Schema of the key `alerts`. Imported for types and by the generator only, like `manifest.ts`. */
import { Type } from "typebox";
import { alertReasons } from "../../core/alert.ts";
import { name, strict } from "./primitives.ts";

const variable = (description: string) => Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]*$", description });

export const AlertList = Type.Array(
  Type.Object(
    {
      name: name("Name of the alert in events and reports."),
      url: Type.Optional(
        Type.String({ pattern: "^https?://", description: "URL of the webhook. If the URL is a secret, use `url_from` instead." }),
      ),
      url_from: Type.Optional(variable("Environment variable that contains the webhook's URL. Its value is redacted like a secret.")),
      format: Type.Optional(
        Type.Enum(["cloudevents", "slack"], {
          description: "Format of the request body: a CloudEvents 1.0 event in JSON, or a Slack message. Defaults to `cloudevents`.",
        }),
      ),
      secret: Type.Optional(variable("Environment variable that contains the key for signing request bodies.")),
      on: Type.Optional(
        Type.Array(Type.Enum([...alertReasons]), {
          minItems: 1,
          description: "Conditions that trigger the alert. Defaults to all of them.",
        }),
      ),
    },
    { ...strict, description: "Webhook that is called when a condition in `on` occurs." },
  ),
  { description: "Webhooks for contract failures, timeouts, open circuits, and failed and recovered runs." },
);
