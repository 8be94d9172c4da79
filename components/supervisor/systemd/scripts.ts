/**
 * The shell scripts that stand between systemd and the launchers, below `libexec/launch`. What deno cannot do they do:
 * systemd's socket for notices takes datagrams.
 * @module
 */
import { shownProperties, unitPrefix, unitSlice } from "./states.ts";

/**
 * `unit-run [--journal] COMMAND...` becomes the command, a component; what it says on its standard output goes to systemd: that it is ready
 * (its ports are the unit's status), and each fourth sign of life, one in 20 seconds, for the watchdog. Bash, for it alone
 * lets a shell read what the program says that it becomes, so that signals reach the component itself.
 *
 * With `--journal` it reads on its standard input what the journal has of the lines that components say, as the supervisor would write them.
 */
function unitRun(): string {
  return `#!/bin/bash
unset BASH_ENV ENV
tell() {
  local line count=0
  while IFS= read -r line; do
    case $line in
    '{"event":"ready"'*) systemd-notify --ready --status="$line" ;;
    '{"event":"alive"'*) (( count++ % 4 == 0 )) && systemd-notify WATCHDOG=1 ;;
    esac
  done
}
said() {
  journalctl --quiet --follow --lines=0 --all --utc --no-hostname --output=short-iso-precise \\
    _SYSTEMD_SLICE=${unitSlice} _TRANSPORT=stdout |
    sed --unbuffered --regexp-extended \\
      's/^([0-9T:-]+[.][0-9]{3})[0-9]{3}[+]0000 ([a-z0-9-]+)(\\[[0-9]+\\])?: /\\1Z \\2: /;t;d'
}
exec > >(tell)
if [ "$1" = --journal ]; then
  shift
  exec < <(said)
fi
exec "$@"
`;
}

/**
 * `unit-reload COMMAND...`: has the grants written by that command, and each unit do what it answers. One that fails has
 * changed nothing.
 */
function unitReload(): string {
  return `#!/bin/sh
changes=$("$@") || exit
printf '%s\\n' "$changes" | while read -r action name; do
  case $action in
  start | restart | reload | stop) systemctl --no-block "$action" "${unitPrefix}$name.service" || : ;;
  esac
done
systemctl --no-block reload ${unitPrefix}supervisor.service || :
`;
}

/** What states.ts reads. */
function unitStates(): string {
  return `#!/usr/bin/env -S -i /bin/sh
exec systemctl show --no-pager --timestamp=unix --property=${shownProperties.join(",")} '${unitPrefix}*.service'
`;
}

/** Name and text of each. */
export function unitScripts(): readonly (readonly [name: string, text: string])[] {
  return [["unit-run", unitRun()], ["unit-reload", unitReload()], ["unit-states", unitStates()]];
}
