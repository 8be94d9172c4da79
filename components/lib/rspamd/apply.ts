/**
 * rspamd's changes of a header, made.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import { type Mail, type MailField, positionsOf, safeField } from "../scanners/mail.ts";
import type { AddedField, RemovedField, RspamdReply } from "./reply.ts";

/** The mail with what the answer adds, removes and rewrites; the error names a field that would be more than one. */
export function applyReply(mail: Mail, reply: RspamdReply): Result<Mail, string> {
  let fields = reply.removed.reduce(removeField, mail.fields);
  const isSpam = reply.action === "add header" || reply.action === "rewrite subject";
  const subject = reply.action === "rewrite subject" ? reply.subject : undefined;
  if (subject !== undefined) {
    const field = safeField("Subject", ` ${oneLine(subject)}`);
    if (field === undefined) return err("Subject");
    fields = replaceSubject(fields, field);
  }
  const hasMark = reply.added.some(({ name }) => name.toLowerCase() === "x-spam");
  const marks: AddedField[] = isSpam && !hasMark ? [{ name: "X-Spam", value: "Yes", order: -1 }] : [];
  for (const added of [...reply.added, ...marks]) {
    const field = safeField(added.name, ` ${added.value}`);
    if (field === undefined) return err(added.name);
    fields = addField(fields, field, added.order);
  }
  return ok({ ...mail, fields });
}

function removeField(fields: readonly MailField[], { name, index }: RemovedField): readonly MailField[] {
  const positions = positionsOf(fields, name);
  const gone = index === 0
    ? positions
    : index > 0
    ? positions.slice(index - 1, index)
    : positions.slice(index).slice(0, 1);
  // Counted from the bottom beyond the top: there is no such field.
  if (-index > positions.length) return fields;
  return fields.filter((_, at) => !gone.includes(at));
}

function addField(fields: readonly MailField[], field: MailField, order: number): readonly MailField[] {
  const at = order >= 0 ? order : fields.length + 1 + order;
  return fields.toSpliced(Math.min(Math.max(at, 0), fields.length), 0, field);
}

/** In the place of the first; without one, at the end. */
function replaceSubject(fields: readonly MailField[], field: MailField): readonly MailField[] {
  const [first] = positionsOf(fields, "Subject");
  return first === undefined ? [...fields, field] : fields.with(first, { ...field, name: fields[first]!.name });
}

/** Subjects come decoded; what stood in two lines is one. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+[ \t]*/g, " ");
}
