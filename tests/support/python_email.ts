/**
 * A MIME parser that is not ours: Python's `email`, where a python3 is installed.
 * @module
 */

/** A part as that parser sees it, with its own parts (a message/* part has one a message, or a block). */
export interface ParsedPart {
  readonly type: string;
  readonly defects: readonly string[];
  readonly fields: readonly (readonly [string, string])[];
  /** Octet string, decoded; "" for a part with parts. */
  readonly content: string;
  readonly parts: readonly ParsedPart[];
}

const program = `
import email, email.policy, json, sys
def show(part):
    many = part.is_multipart()
    return {
        "type": part.get_content_type(),
        "defects": [type(defect).__name__ for defect in part.defects],
        "fields": [[name, str(value)] for name, value in part.items()],
        "content": "" if many else part.get_payload(decode=True).decode("latin1"),
        "parts": [show(inner) for inner in part.get_payload()] if many else [],
    }
print(json.dumps(show(email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.compat32))))
`;

function hasPython(): boolean {
  try {
    return new Deno.Command("python3", { args: ["-c", "import email"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

export const pythonIsInstalled = hasPython();

export async function parseWithPython(message: Uint8Array): Promise<ParsedPart> {
  const child = new Deno.Command("python3", { args: ["-c", program], stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(message as Uint8Array<ArrayBuffer>);
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("python3 could not parse the message");
  return JSON.parse(new TextDecoder().decode(stdout)) as ParsedPart;
}

const manyProgram = `${program.replace(/print\(.*\)\n$/, "")}
for line in sys.stdin.buffer:
    message = json.loads(line).encode("latin1")
    print(json.dumps(show(email.message_from_bytes(message, policy=email.policy.compat32))))
`;

/** Parses many messages, octet strings, with one python. */
export async function parseAllWithPython(messages: readonly string[]): Promise<readonly ParsedPart[]> {
  const child = new Deno.Command("python3", { args: ["-c", manyProgram], stdin: "piped", stdout: "piped" }).spawn();
  const input = messages.map((message) => `${JSON.stringify(message)}\n`).join("");
  const writer = child.stdin.getWriter();
  const [{ success, stdout }] = await Promise.all([
    child.output(),
    writer.write(new TextEncoder().encode(input)).then(() => writer.close()),
  ]);
  if (!success) throw new Error("python3 could not parse the messages");
  return new TextDecoder().decode(stdout).trimEnd().split("\n").map((line) => JSON.parse(line) as ParsedPart);
}
