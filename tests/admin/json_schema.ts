/**
 * Holds a value against a schema of an OpenAPI 3.1 document: as much of JSON Schema as ours uses, and a word it does not
 * know is an error, so that nothing goes unchecked.
 * @module
 */

type Schema = Readonly<Record<string, unknown>>;

const known = [
  ...["$ref", "type", "properties", "required", "items", "enum", "anyOf", "additionalProperties", "minimum", "maximum"],
  ...["exclusiveMinimum", "format", "pattern", "minItems", "maxItems", "minLength", "maxLength", "description"],
  ...["propertyNames"],
];

/** What is wrong with `value`, a line each with the path. `root`: the whole document. */
export function defectsIn(value: unknown, schema: Schema, root: Schema, path = "$"): string[] {
  const strange = Object.keys(schema).filter((word) => !known.includes(word));
  if (strange.length > 0) throw new Error(`${path}: the schema has ${strange.join(", ")}, which nobody checks`);
  if (typeof schema["$ref"] === "string") return defectsIn(value, resolve(schema["$ref"], root), root, path);
  const any = schema["anyOf"] as readonly Schema[] | undefined;
  if (any !== undefined) {
    const fits = any.some((one) => defectsIn(value, one, root, path).length === 0);
    return fits ? [] : [`${path}: ${JSON.stringify(value)} is none of what it may be`];
  }
  const found: string[] = [];
  const say = (what: string) => found.push(`${path}: ${JSON.stringify(value)?.slice(0, 80)} ${what}`);
  const types = ([] as unknown[]).concat(schema["type"] ?? []);
  if (types.length > 0 && !types.some((type) => hasType(value, String(type)))) say(`is no ${types.join(" or ")}`);
  const choices = schema["enum"] as readonly unknown[] | undefined;
  if (choices !== undefined && !choices.includes(value)) say(`is none of ${choices.join(", ")}`);
  if (typeof value === "number" && typeof schema["minimum"] === "number" && value < schema["minimum"]) {
    say("is too small");
  }
  if (schema["format"] === "date-time" && typeof value === "string" && Number.isNaN(Date.parse(value))) {
    say("is no time");
  }
  if (Array.isArray(value)) {
    const items = (schema["items"] ?? {}) as Schema;
    value.forEach((item, at) => found.push(...defectsIn(item, items, root, `${path}[${at}]`)));
  } else if (typeof value === "object" && value !== null) found.push(...defectsInObject(value, schema, root, path));
  return found;
}

function defectsInObject(value: object, schema: Schema, root: Schema, path: string): string[] {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
  const required = (schema["required"] ?? []) as readonly string[];
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${path}: there is no ${name}`);
  const rest = schema["additionalProperties"];
  const found = Object.entries(value).flatMap(([name, one]) => {
    const own = properties[name] ?? (typeof rest === "object" ? rest as Schema : undefined);
    return own === undefined
      ? [`${path}: ${name} is not in the document`]
      : defectsIn(one, own, root, `${path}.${name}`);
  });
  return [...missing, ...found];
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isSafeInteger(value);
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "number":
      return typeof value === "number";
    default:
      throw new Error(`the schema has the type ${type}, which nobody checks`);
  }
}

function resolve(reference: string, root: Schema): Schema {
  return reference.replace(/^#\//, "").split("/").reduce<Schema>((at, part) => at[part] as Schema, root);
}
