/**
 * The processes: their state, and what each may touch.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import type { ComponentStatus } from "../../lib/wire/status_protocol.ts";
import type { Overview } from "../overview.ts";
import { describeGrant, formatBytes, formatCount, formatDuration, type Right } from "../units.ts";
import { Badge, Card, Scroll, Told } from "./parts.tsx";

const none = "–";

export function Components({ overview: { supervisor, homeDir } }: { overview: Overview }) {
  return (
    <>
      <Card id="components" title="Components" live wide>
        <Told who="supervisor" answer={supervisor}>
          {({ components }) => (
            <Scroll name="Components">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col">State</th>
                    <th scope="col" class="number">Uptime</th>
                    <th scope="col" class="number">Restarts</th>
                    <th scope="col" class="number">Memory</th>
                    <th scope="col" class="number">Process</th>
                    <th scope="col" class="number">User id</th>
                    <th scope="col">Ports</th>
                  </tr>
                </thead>
                <tbody>{components.map((component) => <Row component={component} />)}</tbody>
              </table>
            </Scroll>
          )}
        </Told>
      </Card>
      {supervisor.kind === "away" ? null : (
        <Card id="grants" title="What each may touch" live>
          {supervisor.status.components.map(({ name, grant }) => (
            <Grant name={name} rights={describeGrant(grant, homeDir)} />
          ))}
        </Card>
      )}
    </>
  );
}

function Row({ component }: { component: ComponentStatus }) {
  const { name, state, uptimeSeconds, restarts, rssBytes, pid, uid, ports } = component;
  const mood = state === "running" ? "good" : state === "on demand" || state === "asleep" ? "idle" : "bad";
  return (
    <tr data-key={name}>
      <th scope="row">{name}</th>
      <td>
        <Badge mood={mood}>{state}</Badge>
      </td>
      <td class="number">{pid === undefined ? none : formatDuration(uptimeSeconds)}</td>
      <td class="number">{formatCount(restarts)}</td>
      <td class="number">{rssBytes === 0 ? none : formatBytes(rssBytes)}</td>
      <td class="number">{pid === undefined ? none : String(pid)}</td>
      <td class="number">{uid === undefined ? none : String(uid)}</td>
      <td class="ports">
        {Object.entries(ports).map(([port, number]) => nameWithPort(port, number)).join(", ") || none}
      </td>
    </tr>
  );
}

/** A name that tells the port already needs no second one. */
function nameWithPort(name: string, port: number): string {
  return name.endsWith(`:${port}`) ? name : `${name} ${port}`;
}

function Grant({ name, rights }: { name: string; rights: readonly Right[] }) {
  const counts = rights.map(({ verb, items }) => `${verb} ${items.length === 0 ? "everything" : items.length}`);
  return (
    <details data-key={name}>
      <summary>
        <span class="name">{name}</span> <span class="quiet">{counts.join(", ") || "nothing"}</span>
      </summary>
      <dl>
        {rights.map(({ verb, items }) => (
          <div>
            <dt>{verb}</dt>
            {items.length === 0 ? <dd>everything</dd> : items.map((item) => (
              <dd>
                <code>{item}</code>
              </dd>
            ))}
          </div>
        ))}
      </dl>
    </details>
  );
}
