// Does a value fit a schema of /api/openapi.json? A validator for the part of JSON Schema that the document uses.
//
//   faults(document, schema, value)      [] or what is wrong, each with its place: ["items[0].state: …"]
//   operation(document, method, path)    {template, operation} that serves this path
//
// Stricter than the schema where that finds mistakes: a field that a described object does not name is a fault, and a
// date-time has milliseconds and Z.
// SPDX-License-Identifier: Apache-2.0
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const TYPES = {
  string: (v) => typeof v === "string",
  integer: Number.isInteger,
  number: (v) => typeof v === "number",
  boolean: (v) => typeof v === "boolean",
  null: (v) => v === null,
  array: Array.isArray,
  object: (v) => v !== null && typeof v === "object" && !Array.isArray(v),
};

function resolve(document, schema) {
  const name = schema.$ref?.replace("#/components/schemas/", "");
  if (name === undefined) return schema;
  if (!document.components.schemas[name]) throw new Error(`the document has no schema ${name}`);
  return resolve(document, document.components.schemas[name]);
}

function* objectFaults(document, schema, value, place) {
  for (const name of schema.required ?? []) if (!(name in value)) yield `${place}: '${name}' is missing`;
  for (const [name, item] of Object.entries(value)) {
    const more = schema.properties?.[name] ?? schema.additionalProperties;
    const where = place === "" ? name : `${place}.${name}`;
    if (more === undefined || more === false) yield `${where}: is not described`;
    else if (more !== true) yield* check(document, more, item, where);
  }
}

function* check(document, asked, value, place) {
  const schema = resolve(document, asked);
  if (schema.oneOf) {
    const tried = schema.oneOf.map((one) => [...check(document, one, value, place)]);
    if (tried.filter((list) => list.length === 0).length !== 1) yield `${place}: fits not just one of its choices (${tried.flat().slice(0, 8).join("; ")})`;
    return;
  }
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some((type) => TYPES[type](value))) {
    yield `${place}: ${JSON.stringify(value)?.slice(0, 80)} is no ${types.join(" or ")}`;
    return;
  }
  if (schema.enum && !schema.enum.includes(value)) yield `${place}: '${value}' is none of ${schema.enum.join(", ")}`;
  if (schema.format === "date-time" && !TIME.test(value)) yield `${place}: '${value}' is no time with milliseconds`;
  if (schema.minimum > value || schema.maximum < value) yield `${place}: ${value} is out of range`;
  if (schema.type === "array") for (const [i, item] of value.entries()) yield* check(document, schema.items ?? {}, item, `${place}[${i}]`);
  if (schema.type === "object") yield* objectFaults(document, schema, value, place);
}

export function faults(document, schema, value) {
  return [...check(document, schema, value, "")];
}

const NAME = /^\{(.*)\}$/;

// The template that fits with the most literal parts; {path} at the end takes the rest.
export function operation(document, method, path) {
  const parts = path.split("/");
  const fits = (template) => {
    const wanted = template.split("/");
    const open = wanted.at(-1) === "{path}";
    if (open ? parts.length < wanted.length : parts.length !== wanted.length) return -1;
    return wanted.every((part, i) => NAME.test(part) || part === parts[i]) ? wanted.filter((part) => !NAME.test(part)).length : -1;
  };
  const found = Object.keys(document.paths).filter((template) => fits(template) >= 0 && document.paths[template][method.toLowerCase()]);
  const template = found.sort((a, b) => fits(b) - fits(a))[0];
  if (!template) throw new Error(`the document has no ${method} ${path}`);
  return { template, operation: document.paths[template][method.toLowerCase()] };
}
