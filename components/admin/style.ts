/**
 * The page's style sheet: same-origin, so that the page's policy can forbid every inline style.
 * @module
 */
export const style = `:root {
  color-scheme: light dark;
  --ground: #f6f7f8; --card: #fff; --line: #dde1e5; --text: #1c2127; --quiet: #56606b; --link: #0b57a4;
  --good: #17673a; --good-ground: #e4f3e9; --bad: #9c1c1c; --bad-ground: #fbe6e4; --idle-ground: #eaedf0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --card: #1c2024; --line: #31373d; --text: #e4e7ea; --quiet: #a0a9b2; --link: #8cbcf0;
    --good: #8fd6a8; --good-ground: #19301f; --bad: #f5a9a2; --bad-ground: #3a1d1c; --idle-ground: #2a3036;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 2rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .25rem 1.5rem; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 1rem; font-weight: 600; text-align: start; }
.taken { display: flex; gap: 1rem; margin: 0; color: var(--quiet); font-variant-numeric: tabular-nums; }
.verdict { margin: 1rem 0; padding: .75rem 1rem; border-radius: .5rem; }
.verdict.good { background: var(--good-ground); color: var(--good); font-weight: 600; }
.verdict.bad { background: var(--bad-ground); color: var(--bad); }
.verdict ul { margin: .25rem 0 0; padding-inline-start: 1.25rem; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 1rem; margin: 1rem 0; }
.card, .wide, .grants { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; }
.card dl { margin: .5rem 0 0; }
.card dl div { display: flex; justify-content: space-between; gap: 1rem; padding: .15rem 0; }
.card dt { color: var(--quiet); }
.card dd { margin: 0; font-variant-numeric: tabular-nums; text-align: end; white-space: nowrap; }
.card dl div:first-child dd { font-weight: 600; }
.away { margin: .5rem 0 0; color: var(--bad); }
.wide { overflow-x: auto; padding: .75rem 0 .25rem; }
caption { padding: 0 1rem .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .4rem .75rem; border-top: 1px solid var(--line); text-align: start; white-space: nowrap; }
th:first-child, td:first-child { padding-inline-start: 1rem; }
th:last-child, td:last-child { padding-inline-end: 1rem; }
thead th { color: var(--quiet); font-size: .875rem; font-weight: 400; }
tbody th { font-weight: 600; position: sticky; inset-inline-start: 0; background: var(--card); }
.number { text-align: end; font-variant-numeric: tabular-nums; }
.state { padding: .1rem .5rem; border-radius: 1rem; font-size: .875rem; background: var(--idle-ground); }
.state.good { background: var(--good-ground); color: var(--good); }
.state.bad { background: var(--bad-ground); color: var(--bad); font-weight: 600; }
.grants { margin: 1rem 0; }
.grants h2 { margin-bottom: .25rem; }
details { border-top: 1px solid var(--line); }
summary { padding: .4rem 0; cursor: pointer; overflow-wrap: anywhere; }
summary .name { font-weight: 600; }
summary .summary { color: var(--quiet); font-size: .875rem; margin-inline-start: .5rem; }
details dl { margin: 0 0 .75rem; padding-inline-start: 1.1rem; }
details dl div { margin-bottom: .25rem; }
details dt { color: var(--quiet); font-size: .875rem; }
details dd { margin: 0; overflow-wrap: anywhere; }
code { font: .875em/1.5 ui-monospace, "SFMono-Regular", Menlo, "DejaVu Sans Mono", monospace; }
footer { color: var(--quiet); font-size: .875rem; }
`;
