/**
 * A message's text and fields, as text alone: nothing of it is ever read as HTML, and nothing is loaded for it.
 * @module
 */
import type { MessageContent } from "../../lib/wire/qread_protocol.ts";
import { formatBytes } from "../units.ts";
import { Lines, Scroll } from "./parts.tsx";

/** Fields that most want to see first. */
const first = ["from", "to", "cc", "subject", "date"];

export function Content({ content }: { content: MessageContent }) {
  const { fields, kind, text, textIsCut, attachments, sizeBytes, readBytes } = content;
  const shown = fields.filter(({ name }) => first.includes(name.toLowerCase()));
  return (
    <>
      <dl class="fields-of">
        {shown.map(({ name, value }) => (
          <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {kind === "none" ? <p>There is no text in it.</p> : (
        <>
          {kind === "html" ? <p class="quiet">The text of its HTML, which is not shown as such.</p> : null}
          <Lines name="Text of the message" text={text} />
          {textIsCut ? <p class="quiet">There is more text.</p> : null}
        </>
      )}
      {attachments.length === 0 ? null : (
        <Scroll name="Attachments">
          <table>
            <caption>Attachments</caption>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Type</th>
                <th scope="col" class="number">Size</th>
              </tr>
            </thead>
            <tbody>
              {attachments.map(({ name, type, sizeBytes }) => (
                <tr>
                  <th scope="row" class="address">{name === "" ? "(no name)" : name}</th>
                  <td>{type}</td>
                  <td class="number">{formatBytes(sizeBytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <details id="fields">
        <summary>{`All ${fields.length} header fields`}</summary>
        <dl class="fields-of">
          {fields.map(({ name, value }) => (
            <div>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
      {readBytes < sizeBytes
        ? <p class="quiet">{`The first ${formatBytes(readBytes)} of ${formatBytes(sizeBytes)} were looked at.`}</p>
        : null}
    </>
  );
}
