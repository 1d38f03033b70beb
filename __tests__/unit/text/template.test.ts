import { expect, it } from "vitest";
import { fillTemplate, parseTemplate } from "../../../src/text/template.ts";
import fc from "../../rig/property.ts";

it("splits a template into text and names", () => {
  expect(parseTemplate("see {{ inputs.report }}, {{input}}{{  }} and {{ open")).toEqual([
    { kind: "text", text: "see " },
    { kind: "name", name: "inputs.report", offset: 4, text: "{{ inputs.report }}" },
    { kind: "text", text: ", " },
    { kind: "name", name: "input", offset: 25, text: "{{input}}" },
    { kind: "name", name: "", offset: 34, text: "{{  }}" },
    { kind: "text", text: " and {{ open" },
  ]);
  expect(parseTemplate("")).toEqual([]);
});

it("keeps every character of any text", () => {
  const text = fc.string({ unit: fc.constantFrom("{", "}", "{{", "}}", " ", "a", ".", "\n") });
  fc.assert(
    fc.property(text, (template) => {
      const parts = parseTemplate(template);
      expect(parts.map((part) => part.text).join("")).toBe(template);
    }),
  );
});

it("replaces four braces by two, around any text", () => {
  const fill = (text: string) => fillTemplate(text, (name) => (name === "a" ? "1" : undefined));
  expect(fill("Fix {{{{ .Values.image }} and {{ a }}")).toBe("Fix {{ .Values.image }} and 1");
  expect(fill("${{{{ secrets.X }}")).toBe("${{ secrets.X }}");
  expect(fill("{{{{{{{{ a }}")).toBe("{{{{ a }}");
});

it("does not fill placeholders in values, and keeps unknown names unchanged", () => {
  const values: Readonly<Record<string, string>> = { a: "{{ b }} $&", b: "never" };
  expect(fillTemplate("{{ a }} {{c }}", (name) => values[name])).toBe("{{ b }} $& {{c }}");
});
