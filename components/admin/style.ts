/**
 * The pages' style sheet: same-origin, so that the pages' policy can forbid every inline style. Colours are chosen for a
 * contrast of at least 4.5 to 1 on each ground they stand on, in light and in dark.
 * @module
 */
export const style = `:root {
  color-scheme: light dark;
  --ground: #f6f7f8; --card: #fff; --line: #dde1e5; --field: #7c8791; --text: #1c2127; --quiet: #545e69;
  --link: #0b57a4; --button: #eef1f4; --main: #0b57a4; --on-main: #fff; --danger: #9c1c1c;
  --good: #17673a; --good-ground: #e4f3e9; --bad: #9c1c1c; --bad-ground: #fbe6e4;
  --warn: #7a4b00; --warn-ground: #fbf0d9; --idle-ground: #eaedf0;
  --bar-good: #2f8f58; --bar-bad: #c24141; --bar-warn: #b77a1b; --bar-idle: #3f78b5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --card: #1c2024; --line: #31373d; --field: #79848f; --text: #e4e7ea; --quiet: #a0a9b2;
    --link: #8cbcf0; --button: #2a3036; --main: #8cbcf0; --on-main: #10161c; --danger: #f5a9a2;
    --good: #8fd6a8; --good-ground: #19301f; --bad: #f5a9a2; --bad-ground: #3a1d1c;
    --warn: #eac07a; --warn-ground: #352a16; --idle-ground: #2a3036;
    --bar-good: #57b37c; --bar-bad: #e06c66; --bar-warn: #d09a43; --bar-idle: #6ea6de;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 76rem; padding: 0 1rem 2rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: .15rem; }
main:focus, main:focus-visible { outline: none; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.hidden[role=status] { margin: 0; }
.skip { position: absolute; inset-inline-start: 1rem; top: -4rem; padding: .5rem 1rem; background: var(--card); z-index: 2; }
.skip:focus { top: .5rem; }
.quiet { color: var(--quiet); font-size: .875rem; }
p { margin: .5rem 0; }
h1 { margin: 1.25rem 0 .75rem; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0 0 .5rem; font-size: 1rem; font-weight: 600; text-align: start; overflow-wrap: anywhere; }

body > header {
  display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.25rem; padding: .75rem 0;
  border-bottom: 1px solid var(--line);
}
.host { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem; margin: 0; padding: 0; list-style: none; }
nav li a { display: block; padding: .35rem .6rem; border-radius: .4rem; color: var(--text); text-decoration: none; }
nav li a:hover { background: var(--idle-ground); }
nav li a[aria-current=page] { background: var(--idle-ground); font-weight: 600; box-shadow: inset 0 -2px var(--link); }
.find { display: flex; gap: .4rem; flex: 1 1 14rem; justify-content: flex-end; margin: 0; }
.find input { flex: 1 1 8rem; min-width: 0; max-width: 20rem; }
body > footer {
  display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: .5rem 1rem; margin-top: 2rem;
  padding-top: .75rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .875rem;
}
footer form { margin: 0; }

input, select, button, .button {
  font: inherit; color: inherit; min-height: 2.25rem; padding: .3rem .6rem; border: 1px solid var(--field);
  border-radius: .4rem; background: var(--card);
}
input[type=checkbox] { min-height: 0; width: 1.15rem; height: 1.15rem; margin: 0; vertical-align: middle; accent-color: var(--link); }
input::placeholder { color: var(--quiet); opacity: 1; }
button, .button { background: var(--button); cursor: pointer; text-decoration: none; display: inline-block; }
button:hover, .button:hover { border-color: var(--link); }
button.main { background: var(--main); color: var(--on-main); border-color: var(--main); font-weight: 600; }
button.danger { color: var(--danger); border-color: var(--danger); }
.buttons { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.bar { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .75rem 0; }
.fields { display: flex; flex-wrap: wrap; gap: .75rem; align-items: flex-end; }
.field { display: flex; flex-direction: column; gap: .2rem; flex: 1 1 12rem; min-width: 0; }
.field label { font-size: .875rem; color: var(--quiet); }
.field input, .field select { width: 100%; }
.check { display: flex; gap: .5rem; align-items: center; min-height: 2.25rem; }
.search { margin: 1rem 0; }
.search details { margin-top: .5rem; border: 0; }

.verdict { margin: 1rem 0; padding: .75rem 1rem; border-radius: .5rem; overflow-wrap: anywhere; }
.verdict p { margin: 0; }
.verdict.good { background: var(--good-ground); color: var(--good); font-weight: 600; }
.verdict.bad { background: var(--bad-ground); color: var(--bad); }
.verdict.idle { background: var(--idle-ground); }
.verdict ul { margin: .25rem 0 0; padding-inline-start: 1.25rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 1rem; margin: 1rem 0; }
.cards .card { margin: 0; }
.card { margin: 1rem 0; padding: .75rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
.card > p:first-child { margin-top: 0; }
.card > p:last-child { margin-bottom: 0; }
.figures { margin: 0; max-width: 40rem; }
.figures div { display: flex; justify-content: space-between; gap: 1rem; padding: .15rem 0; }
.figures dt { color: var(--quiet); }
.figures dd { margin: 0; font-variant-numeric: tabular-nums; text-align: end; overflow-wrap: anywhere; }
.away { margin: .5rem 0; color: var(--bad); overflow-wrap: anywhere; }

.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: 1rem 1.5rem; }
.chart { margin: 0; }
.chart figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .5rem; }
.chart .value { font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.chart figcaption .quiet { flex-basis: 100%; }
.chart svg { display: block; width: 100%; height: 4rem; }
.chart .ground { stroke: var(--line); stroke-width: 1; fill: none; }
.chart.good .bars { fill: var(--bar-good); }
.chart.bad .bars { fill: var(--bar-bad); }
.chart.warn .bars { fill: var(--bar-warn); }
.chart.idle .bars { fill: var(--bar-idle); }
@media (forced-colors: active) { .chart .bars { fill: CanvasText; } }

.scroll { overflow-x: auto; margin: .5rem 0; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); }
.card .scroll { margin-inline: 0; }
table { border-collapse: collapse; width: 100%; }
caption { padding: .5rem .75rem; text-align: start; color: var(--quiet); font-size: .875rem; }
th, td { padding: .4rem .75rem; border-top: 1px solid var(--line); text-align: start; white-space: nowrap; vertical-align: top; }
thead th { border-top: 0; color: var(--quiet); font-size: .875rem; font-weight: 400; }
thead th a { color: inherit; }
tbody th { font-weight: 600; }
th.number, td.number { text-align: end; font-variant-numeric: tabular-nums; }
td.address, th.address { white-space: normal; overflow-wrap: anywhere; min-width: 11rem; }
td.ports { white-space: normal; min-width: 12rem; }
td.report { white-space: normal; overflow-wrap: anywhere; min-width: 16rem; }
td form { margin: 0; }
td button { min-height: 2rem; padding: .15rem .6rem; }
.address { overflow-wrap: anywhere; }
.state { display: inline-block; padding: .05rem .5rem; border-radius: 1rem; font-size: .875rem; font-weight: 400; white-space: nowrap; background: var(--idle-ground); }
.state.good { background: var(--good-ground); color: var(--good); }
.state.bad { background: var(--bad-ground); color: var(--bad); font-weight: 600; }
.state.warn { background: var(--warn-ground); color: var(--warn); }
.state + .state { margin-inline-start: .25rem; }
.count { display: flex; flex-wrap: wrap; gap: 0 1.5rem; color: var(--quiet); font-variant-numeric: tabular-nums; }
.pager, .lives { display: flex; flex-wrap: wrap; gap: .5rem 1rem; margin: .75rem 0; }
.lives a[aria-current] { font-weight: 600; color: var(--text); text-decoration: none; }

details { border-top: 1px solid var(--line); }
h2 + details { border-top: 0; }
summary { padding: .4rem 0; cursor: pointer; overflow-wrap: anywhere; }
summary .name { font-weight: 600; }
summary .quiet { margin-inline-start: .5rem; }
details dl { margin: 0 0 .75rem; padding-inline-start: 1.1rem; }
details dl div { margin-bottom: .25rem; }
details dt { color: var(--quiet); font-size: .875rem; }
details dd { margin: 0; overflow-wrap: anywhere; }
.charts + details { margin-top: .75rem; }
code, pre { font: .875em/1.5 ui-monospace, "SFMono-Regular", Menlo, "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
.lines {
  margin: .5rem 0; padding: .6rem .75rem; overflow: auto; max-height: 30rem; white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--ground); border: 1px solid var(--line); border-radius: .4rem;
}
.fields-of { margin: 0 0 .75rem; padding: 0; }
.fields-of div { display: grid; grid-template-columns: minmax(5rem, 10rem) 1fr; gap: 0 1rem; }
.fields-of dt { color: var(--quiet); overflow-wrap: anywhere; }
.fields-of dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }

.timeline { margin: .5rem 0; padding: 0; list-style: none; }
.timeline li { position: relative; padding: 0 0 .9rem 1.5rem; border-inline-start: 2px solid var(--line); margin-inline-start: .4rem; }
.timeline li:last-child { border-color: transparent; padding-bottom: 0; }
.timeline li::before {
  content: ""; position: absolute; inset-inline-start: -.45rem; top: .35rem; width: .7rem; height: .7rem; border-radius: 50%;
  background: var(--card); border: 2px solid var(--quiet);
}
.timeline li.good::before { background: var(--bar-good); border-color: var(--bar-good); }
.timeline li.bad::before { background: var(--bar-bad); border-color: var(--bar-bad); border-radius: .1rem; }
.timeline li.warn::before { background: var(--bar-warn); border-color: var(--bar-warn); border-radius: .1rem; }
.timeline time { color: var(--quiet); font-size: .875rem; font-variant-numeric: tabular-nums; }
.timeline p { margin: 0; overflow-wrap: anywhere; }
.timeline .title { font-weight: 600; }
.timeline .line { font-size: .9375rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0 1rem; margin: .1rem 0; font-size: .875rem; }
.facts div { display: flex; gap: .35rem; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.log { margin: 0; padding: .5rem .75rem; list-style: none; }
.log li { padding: .15rem 0; overflow-wrap: anywhere; border-top: 1px solid var(--line); }
.log li:first-child { border-top: 0; }
.log time { color: var(--quiet); font-size: .875rem; font-variant-numeric: tabular-nums; }
.log .component { font-size: .875rem; font-weight: 600; }
.findings { margin: 0; padding: 0; list-style: none; }
.findings li { padding: .3rem 0; overflow-wrap: anywhere; }
.control h2 code { font-size: 1rem; }

.bare { display: grid; place-items: center; min-height: 100vh; }
.login { width: min(26rem, 100%); }
.login h1 { margin: .25rem 0; }
.login form { display: flex; flex-direction: column; gap: .4rem; }
.login form p { margin: 0 0 .5rem; }
dialog {
  max-width: min(32rem, calc(100vw - 2rem)); padding: 1.25rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--card); color: var(--text); overflow-wrap: anywhere;
}
dialog::backdrop { background: rgb(0 0 0 / .45); }
dialog p { margin-top: 0; }
@media (max-width: 36rem) {
  body { padding: 0 .75rem 1.5rem; }
  .card { padding: .6rem .75rem; }
  .find { flex-basis: 100%; }
  .find input { max-width: none; }
  th, td { padding: .35rem .5rem; }
  .fields-of div { grid-template-columns: 1fr; margin-bottom: .4rem; }
}
@media (prefers-reduced-motion: no-preference) { .skip { transition: top .1s; } }
`;
