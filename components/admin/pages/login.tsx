/**
 * The form that logs in.
 * @module
 */
import { renderBare } from "./layout.tsx";

export interface LoginForm {
  readonly host: string;
  /** Where to go afterwards: a path of ours. */
  readonly next: string;
  /** Whether there is a token at all. */
  readonly canLogIn: boolean;
  readonly error?: string;
}

export function renderLogin({ host, next, canLogIn, error }: LoginForm): string {
  return renderBare(
    `Log in – ${host}`,
    <div class="card login">
      <h1>Log in</h1>
      <p class="quiet">{host}</p>
      {error === undefined ? null : <p class="verdict bad" role="alert" id="error">{error}</p>}
      {canLogIn ? <Form next={next} wrong={error !== undefined} /> : (
        <p>
          No token is set, so nobody can log in. <code>deno task admin token --new</code> makes one.
        </p>
      )}
    </div>,
  );
}

function Form({ next, wrong }: { next: string; wrong: boolean }) {
  return (
    <form action="/login" method="post">
      <input type="hidden" name="next" value={next} />
      <label for="token">Token</label>
      <input
        id="token"
        name="token"
        type="password"
        required
        autofocus
        autocomplete="current-password"
        spellcheck={false}
        aria-describedby={wrong ? "error token-help" : "token-help"}
        {...wrong ? { "aria-invalid": "true" } : {}}
      />
      <p class="quiet" id="token-help">
        The first start printed it. <code>deno task admin token --new</code> makes another.
      </p>
      <button type="submit" class="main">Log in</button>
    </form>
  );
}
