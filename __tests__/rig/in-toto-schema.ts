/**
 * The JSON of an in-toto Statement v1 with SLSA provenance v1, as their published message definitions give it
 * (`statement.proto`, `resource_descriptor.proto` and `provenance.proto` of in-toto's attestation framework, by the JSON mapping of protocol buffers), with
 * what their specifications require: a subject has a digest, a descriptor has one of `uri`, `digest` and `content`.
 */
const digest = { type: "object", minProperties: 1, additionalProperties: { type: "string", pattern: "^[0-9a-f]+$" } };

const descriptor = {
  type: "object",
  additionalProperties: false,
  properties: {
    name: { type: "string", minLength: 1 },
    uri: { type: "string", format: "uri" },
    digest,
    content: { type: "string", contentEncoding: "base64" },
    downloadLocation: { type: "string", format: "uri" },
    mediaType: { type: "string" },
    annotations: { type: "object" },
  },
  anyOf: [{ required: ["uri"] }, { required: ["digest"] }, { required: ["content"] }],
};

const descriptors = { type: "array", items: descriptor };
const time = { type: "string", format: "date-time" };

const provenance = {
  type: "object",
  additionalProperties: false,
  required: ["buildDefinition", "runDetails"],
  properties: {
    buildDefinition: {
      type: "object",
      additionalProperties: false,
      required: ["buildType", "externalParameters"],
      properties: {
        buildType: { type: "string", format: "uri" },
        externalParameters: { type: "object" },
        internalParameters: { type: "object" },
        resolvedDependencies: descriptors,
      },
    },
    runDetails: {
      type: "object",
      additionalProperties: false,
      required: ["builder"],
      properties: {
        builder: {
          type: "object",
          additionalProperties: false,
          required: ["id"],
          properties: {
            id: { type: "string", format: "uri" },
            version: { type: "object", additionalProperties: { type: "string" } },
            builderDependencies: descriptors,
          },
        },
        metadata: {
          type: "object",
          additionalProperties: false,
          properties: { invocationId: { type: "string" }, startedOn: time, finishedOn: time },
        },
        byproducts: descriptors,
      },
    },
  },
};

export const inTotoStatement = {
  type: "object",
  additionalProperties: false,
  required: ["_type", "subject", "predicateType", "predicate"],
  properties: {
    _type: { const: "https://in-toto.io/Statement/v1" },
    subject: { type: "array", minItems: 1, items: { ...descriptor, required: ["digest"] } },
    predicateType: { const: "https://slsa.dev/provenance/v1" },
    predicate: provenance,
  },
};
